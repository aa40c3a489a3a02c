# METADATA
# title: Known agents
# description: >-
#   Which agents there are and which servers, tools and scopes each of them may be in. What is
#   outside is hidden from the agent.
# custom:
#   owner: platform-team
package org.identity

# METADATA
# title: An unknown agent may be nowhere
# description: An agent that the register does not name sees no server and no tool.
# custom:
#   id: identity.unknown_agent
#   severity: high
#   owner: platform-team
default capabilities := {"servers": [], "tools": [], "scopes": []}

# METADATA
# title: A known agent may be where the register says
# description: The register lists servers, tools (`*`, `tool` or `server/tool`) and scopes by agent.
# custom:
#   id: identity.known_agent
#   severity: high
#   owner: platform-team
capabilities := data.org.identity.settings.agents[input.agent.id]
