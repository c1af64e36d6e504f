// SPDX-License-Identifier: Apache-2.0

package main

type walkCmd struct{}

func (*walkCmd) Run() error { return nil }
