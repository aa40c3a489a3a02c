package lib.data_classes_test

import data.lib.data_classes

agreed := {"customer_data": {"models": ["in-house"], "regions": ["eu-west"]}, "internal": {"regions": ["eu-west", "us-east"]}}

test_a_user_reaches_what_he_may_see if {
	data_classes.beyond_user == set() with input as call(["internal"], ["internal", "public"])
	data_classes.beyond_user == {"customer_data"} with input as call(["internal", "customer_data"], ["internal"])
}

test_what_nobody_classified_is_a_class_of_its_own if {
	every document in [{}, {"action": {"data_classes_referenced": []}}, {"action": {"data_classes_referenced": "internal"}}] {
		data_classes.beyond_user == {"unclassified"} with input as document
	}
	data_classes.beyond_user == set() with input as call([], ["unclassified"])
}

test_a_class_with_models_is_for_them_alone if {
	data_classes.beyond_model(agreed) == set() with input as by("in-house", "customer_data")
	every model in {"vendor", "", null} {
		data_classes.beyond_model(agreed) == {"customer_data"} with input as by(model, "customer_data")
	}
	data_classes.beyond_model(agreed) == {"customer_data"} with input as call(["customer_data"], [])
}

test_a_class_without_models_is_for_all if {
	every class in {"internal", "public"} {
		data_classes.beyond_model(agreed) == set() with input as by("vendor", class)
	}
}

test_a_class_with_regions_stays_there if {
	data_classes.beyond_region(agreed) == set() with input as in_region("eu-west")
	data_classes.beyond_region(agreed) == {"customer_data"} with input as in_region("us-east")
	data_classes.beyond_region(agreed) == {"customer_data", "internal"} with input as in_region(null)
}

call(classes, authorised) := {
	"user": {"id": "alice", "data_classifications_authorized": authorised},
	"action": {"data_classes_referenced": classes},
}

by(model, class) := {"agent": {"model": model}, "action": {"data_classes_referenced": [class]}}

in_region(region) := {"action": {
	"data_classes_referenced": ["customer_data", "internal"],
	"destination": {"region": region},
}}
