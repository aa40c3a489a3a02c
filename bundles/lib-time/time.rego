# METADATA
# title: When and where something may be changed
# description: >-
#   Working hours in a time zone, windows in which nothing changes, and whether this is production.
#   The time is that of the decision. What cannot be read forbids: hours are over, a window is open.
# custom:
#   owner: policy-library
package lib.time

# METADATA
# title: Within working hours
# description: >-
#   Hours are {zone, days, from, to}: an IANA zone, English names of weekdays, and two times of day,
#   `08:00` and the first minute after.
is_within_hours(hours) if {
	now := now_ns
	time.weekday([now, hours.zone]) in hours.days
	[hour, minute, _] := time.clock([now, hours.zone])
	at := (hour * 60) + minute
	at >= minutes_of(hours.from)
	at < minutes_of(hours.to)
}

# METADATA
# title: Windows that are open now
# description: >-
#   Names of the windows {name, from, to} in which the decision falls; `to` is the first moment
#   after. One without two moments that can be read is open.
open_windows(windows) := {name |
	some window in windows
	name := object.get(window, "name", "unnamed")
	not is_outside(window)
}

# METADATA
# title: Production
# description: True unless the configuration says that it is not.
is_production if not object.get(input, ["environment", "is_production"], true) == false

# METADATA
# title: Outside a window
# description: Before its beginning.
is_outside(window) if {
	now_ns < time.parse_rfc3339_ns(window.from)
	time.parse_rfc3339_ns(window.from) < time.parse_rfc3339_ns(window.to)
}

# METADATA
# title: Outside a window, later
# description: At its end or after.
is_outside(window) if {
	now_ns >= time.parse_rfc3339_ns(window.to)
	time.parse_rfc3339_ns(window.from) < time.parse_rfc3339_ns(window.to)
}

# METADATA
# title: Minutes since midnight
# description: Of a time of day such as 08:30.
minutes_of(text) := (to_number(hour) * 60) + to_number(minute) if {
	regex.match(`^[0-2][0-9]:[0-5][0-9]$`, text)
	[hour, minute] := split(text, ":")
}

# METADATA
# title: The time of the decision
# description: In nanoseconds since the epoch.
now_ns := time.parse_rfc3339_ns(input.environment.time)
