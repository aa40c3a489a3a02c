package lib.time_test

import data.lib.time as moments

office := {
	"zone": "Europe/Berlin",
	"days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
	"from": "08:00",
	"to": "18:00",
}

freeze := {"name": "year end", "from": "2026-12-18T00:00:00Z", "to": "2027-01-04T00:00:00Z"}

test_hours_are_those_of_the_zone_in_summer_and_winter if {
	moments.is_within_hours(office) with input as at("2026-11-23T07:00:00Z")
	not moments.is_within_hours(office) with input as at("2026-11-23T06:59:59Z")
	moments.is_within_hours(office) with input as at("2026-07-06T06:00:00Z")
	not moments.is_within_hours(office) with input as at("2026-07-06T16:00:00Z")
}

test_the_weekend_has_no_hours if {
	not moments.is_within_hours(office) with input as at("2026-11-22T12:00:00Z")
}

test_hours_that_cannot_be_read_are_over if {
	noon := at("2026-11-23T12:00:00Z")
	every broken in [{}, {"zone": "Europe/Berlin"}, object.union(office, {"from": "8"}), object.union(office, {"to": null})] {
		not moments.is_within_hours(broken) with input as noon
	}
	not moments.is_within_hours(office) with input as {}
}

test_a_window_is_open_from_its_beginning_to_its_end if {
	moments.open_windows([freeze]) == set() with input as at("2026-12-17T23:59:59Z")
	moments.open_windows([freeze]) == {"year end"} with input as at("2026-12-18T00:00:00Z")
	moments.open_windows([freeze]) == {"year end"} with input as at("2027-01-03T23:59:59Z")
	moments.open_windows([freeze]) == set() with input as at("2027-01-04T00:00:00Z")
}

test_a_window_that_cannot_be_read_is_open if {
	every broken in [{"from": "2026-12-18", "to": "2027-01-04T00:00:00Z"}, {"from": "2027-01-04T00:00:00Z", "to": "2026-12-18T00:00:00Z"}, {}] {
		moments.open_windows([broken]) == {"unnamed"} with input as at("2026-11-23T12:00:00Z")
	}
	moments.open_windows([freeze]) == {"year end"} with input as {}
}

test_it_is_production_unless_somebody_says_that_it_is_not if {
	moments.is_production with input as {"environment": {"is_production": true}}
	moments.is_production with input as {}
	not moments.is_production with input as {"environment": {"is_production": false}}
}

at(time) := {"environment": {"time": time, "is_production": true}}
