# METADATA
# title: Customer records
# description: >-
#   What an agent may do with the records behind the CRM server, as far as the server's owner can
#   say it. Who may see which class of data is for the organisation's own layers.
# custom:
#   owner: crm-team
package mcp.crm

# METADATA
# title: Support reads customer records
# description: An agent in a reading scope may search for customers and open one record at a time.
# custom:
#   id: crm.read
#   severity: low
#   owner: crm-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool in {"get_customer", "search_customers"}
	input.agent.scope in data.mcp.crm.settings.scopes.read
}

# METADATA
# title: Support changes customer records
# description: An agent in a writing scope may change the fields of a record that are open to it.
# custom:
#   id: crm.update
#   severity: medium
#   owner: crm-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "update_customer"
	input.agent.scope in data.mcp.crm.settings.scopes.write
}

# METADATA
# title: Support deletes customer records
# description: >-
#   An agent in a writing scope may delete a record, as far as this server is concerned. The
#   organisation's workflow layer decides whether a person has to agree first.
# custom:
#   id: crm.delete
#   severity: high
#   audit: true
#   owner: crm-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "delete_customer"
	input.agent.scope in data.mcp.crm.settings.scopes.write
}

# METADATA
# title: Exporting every record
# description: >-
#   An agent in an exporting scope may ask for all records at once, as far as this server is
#   concerned. The compliance layer decides whether its user may have data in bulk.
# custom:
#   id: crm.export
#   severity: high
#   audit: true
#   owner: crm-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "export_customers"
	input.agent.scope in data.mcp.crm.settings.scopes.export
}

# METADATA
# title: A customer is named by one id
# description: >-
#   Opening, changing or deleting a record needs one customer id such as C-17. Anything else (a
#   list, a pattern, a path, no id) could reach more than the record that was meant.
# custom:
#   id: crm.customer_id
#   code: customer_id_malformed
#   severity: medium
#   remediation: use_a_customer_id
#   alternatives: [crm__search_customers]
#   disclose: text
#   owner: crm-team
deny contains {"rule": rego.metadata.rule(), "details": {"argument": "id"}} if {
	input.action.tool in {"get_customer", "update_customer", "delete_customer"}
	not is_customer_id(object.get(arguments, "id", null))
}

# METADATA
# title: A search names somebody
# description: >-
#   A search text has at least three letters or digits. A shorter one, or one of wildcards, lists
#   the whole customer base and is an export by the back door.
# custom:
#   id: crm.search_too_broad
#   code: search_too_broad
#   severity: medium
#   remediation: search_by_name_or_company
#   alternatives: [crm__get_customer]
#   disclose: text
#   owner: crm-team
deny contains {"rule": rego.metadata.rule(), "details": {"shortest_query": shortest}} if {
	input.action.tool == "search_customers"
	shortest := data.mcp.crm.settings.shortest_query
	not names_somebody(object.get(arguments, "query", null), shortest)
}

# METADATA
# title: Only open fields are changed
# description: >-
#   An agent may change name, company, e-mail, phone and notes. Credit limit and status follow from
#   contracts and are changed by the billing team; a field nobody has listed is not open either.
# custom:
#   id: crm.field_not_editable
#   code: field_not_editable
#   severity: high
#   remediation: leave_out_the_fields_named
#   appeal: https://tickets.example.com/new?form=crm-field-change
#   alternatives: [crm__update_customer]
#   overridable: true
#   disclose: text
#   owner: billing-team
deny contains {"rule": rego.metadata.rule(), "details": {"fields": closed}} if {
	input.action.tool == "update_customer"
	closed := {field | some field, _ in arguments} - open_fields
	count(closed) > 0
}

# METADATA
# title: CRM tools touch customer data
# description: Every tool of this server reads or changes records of customers.
# custom:
#   id: crm.customer_data
data_classes contains "customer_data" if {
	input.action.tool in {
		"delete_customer",
		"export_customers",
		"get_customer",
		"search_customers",
		"update_customer",
	}
}

# METADATA
# title: The export is bulk data
# description: An export brings every record at once, which is a class of its own.
# custom:
#   id: crm.bulk_customer_data
data_classes contains "bulk_customer_data" if input.action.tool == "export_customers"

# METADATA
# title: Records are the organisation's own text
# description: >-
#   What the records say was written by the organisation's staff. A team whose customers write into
#   them labels them untrusted_content instead.
# custom:
#   id: crm.first_party
labels contains "first_party" if {
	input.action.tool in {
		"delete_customer",
		"export_customers",
		"get_customer",
		"search_customers",
		"update_customer",
	}
}

# METADATA
# title: Arguments by name
# description: >-
#   The arguments of the call, or none where they are not an object. A rule reads them with a
#   default, because `not f(input.missing)` is undefined in Rego and would refuse nothing.
arguments := input.action.args if {
	is_object(input.action.args)
} else := {}

# METADATA
# title: Names an update may carry
# description: The open fields, and the id that says which record is meant.
open_fields := {"id"} | {field | some field in data.mcp.crm.settings.editable_fields}

# METADATA
# title: One customer id
# description: The letter C, a dash and one to ten digits, and nothing around it.
is_customer_id(id) if {
	is_string(id)
	startswith(id, "C-")
	digits := substring(id, 2, -1)
	digits != ""
	count(digits) <= 10
	trim(digits, "0123456789") == ""
}

# METADATA
# title: A text that names somebody
# description: What is left without wildcards and blanks at either end is long enough.
names_somebody(query, shortest) if {
	is_string(query)
	count(trim(query, " \t\r\n*%?_.")) >= shortest
}
