// SPDX-License-Identifier: Apache-2.0

package consent

import "strings"

// node is an object of a form: of JSON-LD, or of plain JSON.
type node map[string]any

func iri(s string) node { return node{"@id": s} }

// dpvStates are the states of records in the vocabulary. Revoked is what somebody else than the shopper ended.
var dpvStates = map[State]string{
	Given: "dpv:ConsentGiven", Renewed: "dpv:RenewedConsentGiven", RefusedState: "dpv:ConsentRefused", Deferred: "dpv:ConsentRequestDeferred",
	WithdrawnOver: "dpv:ConsentWithdrawn", RevokedOver: "dpv:ConsentRevoked", ExpiredOver: "dpv:ConsentExpired", Invalidated: "dpv:ConsentInvalidated",
}

// dpv is the receipt as https://w3id.org/dpv/guides/consent-27560 maps it: a receipt with its record inside.
func (r Receipt) dpv() node {
	id := "urn:uuid:" + r.ID
	return node{
		"@context": node{"dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/", "schema": "https://schema.org/",
			"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#"},
		"@id": id + "#receipt", "@type": "dpv:ConsentReceipt", "dct:identifier": r.ID + "#receipt",
		"dct:conformsTo": iri("https://w3id.org/dpv/schema/dpv-27560#receipt"), "dct:created": formTime(r.IssuedAt.Time),
		"dct:valid": formTime(r.ExpiresAt.Time), "dct:publisher": iri(r.Issuer), "schema:recipient": iri("dpv:DataSubject"),
		"dpv:hasRecordOfActivity": r.Record.dpv(id, r.NoticeHash),
	}
}

func (r Record) dpv(id, notice string) node {
	p := r.Processing
	parties := []node{}
	for _, party := range r.Party {
		parties = append(parties, node{
			"@id": party.ID, "@type": "dpv:DataController", "dpv:hasIdentifier": party.ID, "dpv:hasName": party.Name,
			"schema:contactPoint": node{"@type": "schema:ContactPoint", "schema:description": party.Contact}, "schema:address": party.Address,
		})
	}
	return node{
		"@id": id, "@type": "dpv:ConsentRecord", "dct:conformsTo": iri("https://w3id.org/dpv/schema/dpv-27560#record"),
		"dct:identifier":       r.Header.RecordID,
		"dpv:hasDataSubject":   node{"@id": "urn:doorstep:subject:" + string(r.Header.Principal), "@type": "dpv:DataSubject", "dct:identifier": r.Header.Principal},
		"dpv:hasNotice":        node{"@type": "dpv:ConsentNotice", "dct:identifier": p.PrivacyNotice, "dct:language": p.Language, "schema:sha256": notice},
		"dpv:hasLegalBasis":    iri("dpv:ExplicitlyExpressedConsent"),
		"dpv:hasProcess":       p.dpv(),
		"dpv:hasConsentStatus": r.Event.dpv(),
		"dpv:hasEntity":        parties,
	}
}

func titled(kind string, names []string) []node {
	out := []node{}
	for _, n := range names {
		out = append(out, node{"@type": kind, "dct:title": n})
	}
	return out
}

func (p RecordProcessing) dpv() node {
	controllers, kept := []node{}, []node{}
	for _, c := range p.Controllers {
		controllers = append(controllers, iri(c))
	}
	for _, at := range p.Storage {
		kept = append(kept, node{"@type": "dpv:StorageLocation", "dpv:hasLocation": node{"@type": "dpv:Location", "dct:title": at}})
	}
	for _, what := range p.Retention {
		data, period, _ := strings.Cut(what, " ")
		kept = append(kept, node{"@type": "dpv:StorageDuration", "dct:title": data, "dpv:hasDuration": node{"@type": "dpv:TemporalDuration", "rdf:value": period}})
	}
	return node{
		"@type": "dpv:Process", "dpv:hasPurpose": titled("dpv:Purpose", p.Purpose), "dpv:hasPersonalData": titled("dpv:PersonalData", p.PIIInformation),
		"dpv:hasDataController": controllers, "dpv:hasRecipient": titled("dpv:Recipient", p.Recipients), "dpv:hasStorageCondition": kept,
		"dpv:hasJurisdiction":   node{"@type": "dpv:Location", "dct:title": p.Jurisdiction},
		"dpv:hasConsentControl": node{"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": p.WithdrawalMethod},
	}
}

// dpv is what happened, when, by whom and for how long.
func (e RecordEvent) dpv() node {
	by := iri("dpv:DataSubject")
	if s := State(e.State); s == RevokedOver || s == ExpiredOver || s == Invalidated {
		by = iri("dpv:DataController")
	}
	return node{
		"@type": dpvStates[State(e.State)], "dpv:isIndicatedAtTime": formTime(e.Time), "dpv:isIndicatedBy": by,
		"dpv:hasDuration": node{"@type": "dpv:TemporalDuration", "rdf:value": e.Validity}, "dpv:hasIndicationMethod": e.Type,
	}
}
