# METADATA
# title: Law and contracts
# description: >-
#   Who may see which class of data, and where data may be processed. These rules hold for every
#   server and are not lifted by a waiver.
# custom:
#   owner: data-protection
package org.compliance

import data.lib.toxic_flows

# METADATA
# title: Users see only data they are authorised for
# description: >-
#   An agent acts for a user and reaches no class of data which that user may not see. Data that
#   nobody has classified is a class of its own.
# custom:
#   id: compliance.user_data_access
#   code: data_class_unauthorized_for_user
#   severity: high
#   remediation: request_elevated_data_access
#   appeal: https://tickets.example.com/new?form=data-access
#   alternatives: [crm__get_customer, crm__search_customers]
#   overridable: false
#   disclose: text
#   audit: true
#   owner: data-protection
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": unauthorised}} if {
	unauthorised := referenced - authorised
	count(unauthorised) > 0
}

# METADATA
# title: Data stays in its regions
# description: >-
#   Customer data is processed only in the regions agreed with the customers. A server whose region
#   nobody has stated is taken to be where the gateway is, unless it is an external one: then the
#   call is refused.
# custom:
#   id: compliance.data_residency
#   code: data_residency
#   severity: high
#   remediation: use_a_server_in_an_allowed_region
#   appeal: https://tickets.example.com/new?form=data-residency
#   overridable: false
#   disclose: text
#   audit: true
#   owner: data-protection
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": misplaced}} if {
	misplaced := {name |
		some name in referenced
		regions := data.org.compliance.settings.residency[name]
		not region in regions
	}
	count(misplaced) > 0
}

# METADATA
# title: No private data out after text from outside
# description: >-
#   The conversation has seen private data and has read text that anybody may have written, and this
#   call would leave the organisation. Whoever wrote the text may be the one who sends.
# custom:
#   id: compliance.toxic_flow
#   code: toxic_flow
#   severity: critical
#   remediation: ask_a_person_to_send_it
#   appeal: https://tickets.example.com/new?form=customer-data-release
#   overridable: false
#   disclose: text
#   audit: true
#   owner: data-protection
deny contains {"rule": rego.metadata.rule(), "msg": toxic_flows.told(flow), "details": flow} if {
	flow := toxic_flows.flow(data.org.compliance.settings.flows)
}

# METADATA
# title: Classes this call refers to
# description: As the gateway determined them. A call without a list of them is unclassified.
referenced := {name | some name in input.action.data_classes_referenced} if {
	is_array(input.action.data_classes_referenced)
	count(input.action.data_classes_referenced) > 0
} else := {"unclassified"}

# METADATA
# title: Classes the user may see
# description: Nothing where the user is not known.
authorised := {name | some name in input.user.data_classifications_authorized}

# METADATA
# title: Where the call is processed
# description: >-
#   The server's stated region, else the gateway's own for a server beside it, else nowhere.
region := input.action.destination.region if {
	is_string(input.action.destination.region)
} else := input.environment.region if {
	input.action.destination.external == false
	is_string(input.environment.region)
} else := "unknown"
