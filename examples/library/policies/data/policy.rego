# METADATA
# title: Which data goes where
# description: Users, models and regions, as the data office agreed on them.
# custom:
#   owner: data-office
package org.data

import data.lib.data_classes

# METADATA
# title: Users see what they may see
# description: An agent reaches no class of data that its user may not see.
# custom:
#   id: data.user
#   code: class_not_for_user
#   severity: high
#   remediation: request_access
#   disclose: text
#   audit: true
#   owner: data-office
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": data_classes.beyond_user}} if {
	count(data_classes.beyond_user) > 0
}

# METADATA
# title: Models and regions are agreed
# description: A class that the data office limits goes to its models, in its regions.
# custom:
#   id: data.place
#   code: class_not_for_model_or_region
#   severity: high
#   remediation: use_an_agreed_model_and_region
#   disclose: text
#   audit: true
#   owner: data-office
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": misplaced}} if {
	agreed := data.org.data.settings.agreed
	misplaced := data_classes.beyond_model(agreed) | data_classes.beyond_region(agreed)
	count(misplaced) > 0
}
