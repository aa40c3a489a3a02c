package lib.text_test

import data.lib.text

test_plain_addresses if {
	plain := {"ann@inside.example", "a.b+c_d-e@mail-1.outside.example", "7@x.example"}
	every address in plain {
		text.is_plain_address(address)
	}
}

test_whatever_two_programs_may_read_differently_is_not_plain if {
	odd := {
		"", "bob", "@", "@inside.example", "bob@", "bob@localhost", "bob@.example", "bob@example.",
		" bob@outside.example", "bob@outside.example\n", "a@b.example,c@d.example", "a@b@c.example",
		"Bob <bob@outside.example>", ".bob@outside.example", "bob@-outside.example",
		"bob@outside-.example", "b\u043eb@outside.example", null, 7, ["ann@inside.example"],
	}
	every address in odd {
		not text.is_plain_address(address)
	}
}

test_an_address_has_an_end if {
	text.is_plain_address(concat("@", [letters(254 - 15), "inside.example"]))
	not text.is_plain_address(concat("@", [letters(255 - 15), "inside.example"]))
}

test_one_line_is_one_line if {
	text.is_one_line("Re: your order", 250)
	not text.is_one_line("Re:\nBcc: eve@outside.example", 250)
	not text.is_one_line("a\u2028b", 250)
	not text.is_one_line("a\u007fb", 250)
	not text.is_one_line("longer", 5)
	not text.is_one_line(null, 250)
}

test_a_bound_is_a_bound if {
	text.is_at_most("12345", 5)
	not text.is_at_most("123456", 5)
	not text.is_at_most(5, 5)
}

test_only_these_characters if {
	text.only_has("abba", "ab")
	not text.only_has("acba", "ab")
}

letters(count) := concat("", [letter | some _ in numbers.range(1, count); letter := "a"])
