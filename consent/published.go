// SPDX-License-Identifier: Apache-2.0

package consent

// Published is the registry with the hash of every notice, as canonical JSON: the rules that
// anybody may read, generated from those that are enforced (brief, 17).
func (r *Registry) Published() ([]byte, error) {
	type ref struct {
		ID            string   `json:"id"`
		Version       int      `json:"version"`
		Lang          string   `json:"lang"`
		Purpose       string   `json:"purpose"`
		Jurisdictions []string `json:"jurisdictions"`
		Data          []string `json:"data"`
		Recipients    []string `json:"recipients"`
		InForce       bool     `json:"in_force"` // served for some jurisdiction; a replaced one stays listed
		Hash          string   `json:"hash"`
	}
	refs := []ref{}
	for _, n := range r.notices {
		refs = append(refs, ref{n.ID, n.Version, n.Lang, n.Purpose, n.Jurisdictions, n.Data, n.Recipients, r.inForce(n), n.Hash})
	}
	return Canonical(struct {
		*Registry
		Kept    []KeptBeside `json:"kept"` // beside the data types
		Notices []ref        `json:"notices"`
		GPC     bool         `json:"gpc"` // Sec-GPC is honoured: nothing is sold or shared, with it or without
	}{r, r.KeptBeside(), refs, true})
}
