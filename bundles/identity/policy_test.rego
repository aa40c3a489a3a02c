package org.identity.policy_test

import data.org.identity

nowhere := {"servers": [], "tools": [], "scopes": []}

test_the_support_bot_may_be_in_crm_and_mail if {
	granted := identity.capabilities with input as {"agent": {"id": "support-bot", "scope": "customer_support"}}
	granted == {"servers": ["crm", "mail"], "tools": ["*"], "scopes": ["customer_support"]}
}

test_an_unknown_agent_may_be_nowhere if {
	every id in {"", "Support-Bot", "support-bot ", "intruder", "*"} {
		identity.capabilities == nowhere with input as {"agent": {"id": id}}
	}
}

test_an_agent_without_a_name_may_be_nowhere if {
	identity.capabilities == nowhere with input as {"agent": {}}
	identity.capabilities == nowhere with input as {}
	every id in {17, null, true, ["support-bot"], {"id": "support-bot"}} {
		identity.capabilities == nowhere with input as {"agent": {"id": id}}
	}
}

test_a_claim_of_the_client_counts_for_nothing if {
	claimed := {"agent": {"id": "intruder", "client": {"name": "support-bot", "version": "1.0"}}}
	identity.capabilities == nowhere with input as claimed
}

test_the_register_is_data if {
	register := {"auditor": {"servers": ["crm"], "tools": ["crm/get_*"], "scopes": ["audit"]}}
	granted := identity.capabilities with input as {"agent": {"id": "auditor"}}
		with data.org.identity.settings.agents as register
	granted.tools == ["crm/get_*"]
	identity.capabilities == nowhere with input as {"agent": {"id": "support-bot"}}
		with data.org.identity.settings.agents as register
}
