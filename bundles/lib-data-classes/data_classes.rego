# METADATA
# title: Which data may go where
# description: >-
#   Compares the classes of a call with what its user, its model and its region may have. A call
#   without classes is unclassified, and who or where nobody knows has no class at all.
# custom:
#   owner: policy-library
package lib.data_classes

# METADATA
# title: Classes that the user may not see
# description: Those of the call without those that the user is authorised for.
beyond_user := referenced - authorised

# METADATA
# title: Classes that the agent's model may not see
# description: >-
#   `agreed` has {models, regions} by class. A class that it names is for these models alone; one that
#   it does not name, or that has no list of models, is for every model.
beyond_model(agreed) := beyond(agreed, "models", object.get(input, ["agent", "model"], null))

# METADATA
# title: Classes that the server's region may not have
# description: The same for regions; a server whose region nobody has stated is in none.
beyond_region(agreed) := beyond(agreed, "regions", object.get(input, ["action", "destination", "region"], null))

# METADATA
# title: Classes whose list does not have this name
# description: Lists are those of `agreed`, by class.
beyond(agreed, list, name) := {class |
	some class in referenced
	allowed := agreed[class][list]
	not name in allowed
}

# METADATA
# title: Classes of the call
# description: As the gateway determined them; unclassified where there are none.
referenced := {class | some class in input.action.data_classes_referenced} if {
	is_array(input.action.data_classes_referenced)
	count(input.action.data_classes_referenced) > 0
} else := {"unclassified"}

# METADATA
# title: Classes the user may see
# description: None where the user is not known.
authorised := {class | some class in input.user.data_classifications_authorized}
