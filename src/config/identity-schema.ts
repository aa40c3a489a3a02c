/**
 * The shape of who acts and for whom: the agent of this configuration, the agents that others are
 * sub-agents of, and those that are believed about their conversations.
 */
import * as z from "zod/mini";

const identifier = z.string().check(z.minLength(1), z.maxLength(256));
const nameOrNull = z._default(z.nullable(identifier), null);
const noWords = z._default(z.array(z.string().check(z.minLength(1))), []);

const agentFacts = {
  version: nameOrNull.check(z.describe("Version of the agent; a block may name it")),
  scope: nameOrNull,
  owner_team: nameOrNull,
  model: nameOrNull,
  parent: nameOrNull.check(z.describe("Agent that this one is a sub-agent of")),
};

export const agentSchema = z.strictObject({
  id: identifier.check(z.describe("Name of the agent in policies and records")),
  ...agentFacts,
});

/** Agents by id: whatever a `parent` names has to be one of them. */
export const agentsSchema = z
  ._default(z.record(identifier, z.strictObject(agentFacts)), {})
  .check(z.describe("Agents that others are sub-agents of, by id"));

/** Patterns of agents. Which of them is asking is verified; what it says of conversations is believed. */
export const trustedRuntimesSchema = z
  ._default(z.array(identifier), [])
  .check(z.describe("Agents whose _meta names their conversations: an id, or a prefix with *"));

export const userSchema = z.strictObject({
  id: identifier.check(z.describe("Person whom the agent acts for")),
  groups: noWords,
  data_classifications_authorized: noWords,
});
