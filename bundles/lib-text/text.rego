# METADATA
# title: Text that two programs read alike
# description: >-
#   What policies ask of a text before they rely on it: that it is one, that it holds nothing but
#   plain characters, that it is one address and not several. Each function is undefined for what is
#   no string, so ask with `not`: a rule that refuses then refuses it.
# custom:
#   owner: policy-library
package lib.text

# METADATA
# title: One plain address
# description: >-
#   At most 254 characters, all of them ASCII letters, digits or one of . _ + - around a single @;
#   a local part that starts with a letter or digit, and a host name behind the @.
is_plain_address(address) if {
	is_string(address)
	count(address) <= 254
	only_has(address, concat("", [letters_and_digits, "._+-@"]))
	[local, host] := split(address, "@")
	local != ""
	only_has(substring(local, 0, 1), letters_and_digits)
	is_host_name(host)
}

# METADATA
# title: A host name
# description: Two or more parts of letters, digits and inner dashes, separated by single dots.
is_host_name(host) if {
	parts := split(host, ".")
	count(parts) > 1
	every part in parts {
		part != ""
		only_has(part, concat("", [letters_and_digits, "-"]))
		not startswith(part, "-")
		not endswith(part, "-")
	}
}

# METADATA
# title: Only these characters
# description: Trimming characters from both ends leaves nothing only if there are no others.
only_has(text, characters) if trim(text, characters) == ""

# METADATA
# title: A text on one line
# description: No line break, no other control character, and at most so many characters.
is_one_line(text, longest) if {
	is_string(text)
	count(text) <= longest
	every character in split(text, "") {
		character >= " "
		not character in {"\u007f", "\u0085", "\u2028", "\u2029"}
	}
}

# METADATA
# title: A text of bounded length
# description: A string that is not longer than allowed.
is_at_most(text, longest) if {
	is_string(text)
	count(text) <= longest
}

# METADATA
# title: ASCII letters and digits
# description: Letters and digits of the ASCII range, which look like nothing else.
letters_and_digits := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
