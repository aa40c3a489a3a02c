# METADATA
# title: Which data goes to which models
# description: >-
#   The question of a data office: customer data may be read by these models, in these regions, and
#   by no others. A class that the settings do not name goes anywhere.
# custom:
#   owner: data-office
package org.models

# METADATA
# title: Data goes to agreed models alone
# description: >-
#   A class of data with a list of models is for agents with one of these models. An agent whose
#   model nobody vouches for has none of them.
# custom:
#   id: models.agreed_models
#   code: model_not_agreed
#   severity: high
#   remediation: use_an_agreed_model
#   disclose: text
#   audit: true
#   owner: data-office
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": misplaced}} if {
	misplaced := {name | some name in limited; not model in agreed[name].models}
	count(misplaced) > 0
}

# METADATA
# title: Data stays in agreed regions
# description: >-
#   A class of data with a list of regions is for servers in one of these regions. A server whose
#   region nobody has stated is in none of them.
# custom:
#   id: models.agreed_regions
#   code: region_not_agreed
#   severity: high
#   remediation: use_a_server_in_an_agreed_region
#   disclose: text
#   audit: true
#   owner: data-office
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": misplaced}} if {
	misplaced := {name |
		some name in limited
		not region in agreed[name].regions
	}
	count(misplaced) > 0
}

# METADATA
# title: Classes of this call that are limited
# description: Those that the settings name, of all that the gateway found.
limited := {name | some name in input.action.data_classes_referenced; agreed[name]}

# METADATA
# title: What is agreed
# description: Models and regions by class of data.
agreed := data.org.models.settings

# METADATA
# title: The agent's model
# description: "`null` where nobody vouches for one, which is in no list."
model := object.get(input, ["agent", "model"], null)

# METADATA
# title: The server's region
# description: "`null` where nobody has stated one, which is in no list."
region := object.get(input, ["action", "destination", "region"], null)
