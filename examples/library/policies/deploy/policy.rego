# METADATA
# title: Deployments
# description: What the pipeline offers; when it may be used is for the layer of changes.
# custom:
#   owner: platform-team
package mcp.deploy

# METADATA
# title: Agents test, ask for a review and release
# description: Each of the three steps, in whatever order.
# custom:
#   id: deploy.use
#   severity: medium
#   owner: platform-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool in {"run_tests", "review_change", "release"}
}
