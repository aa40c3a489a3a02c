/**
 * The statements of counters in Postgres. What they promise is in `sql/0005-usage.sql` and
 * `sql/0008-usage-conversations.sql`.
 */

/** `$1` corrections, `$2` requests with their charges, both as JSON. */
export const takeTurn = "SELECT * FROM mcp_gateway.usage_turn($1::jsonb, $2::jsonb)";

/** `$1`: what a key begins with. */
export const listCounters = `
SELECT
  counter.key,
  counter.limit_amount,
  mcp_gateway.usage_sum(live.amounts) AS used,
  mcp_gateway.usage_sum(mcp_gateway.usage_granted(counter.grants, clock.now_ms)) AS granted,
  mcp_gateway.usage_resets(live.amounts, counter.slot_ms, counter.life_ms) AS resets_ms
FROM (SELECT mcp_gateway.usage_now() AS now_ms) AS clock
CROSS JOIN mcp_gateway.usage_counter AS counter
CROSS JOIN LATERAL (
  SELECT mcp_gateway.usage_live(counter.amounts, counter.slot_ms, counter.life_ms, clock.now_ms) AS amounts
) AS live
WHERE starts_with(counter.key, $1)
  AND (counter.keep_ms = 0
       OR counter.used_ms + counter.keep_ms > clock.now_ms
       OR mcp_gateway.usage_granted(counter.grants, clock.now_ms) <> '{}')
ORDER BY counter.key COLLATE "C"`;

/** `$1` key, `$2` amount, `$3` for how long in milliseconds, or null. */
export const grantAmount = `
UPDATE mcp_gateway.usage_counter AS counter
SET grants = counter.grants || jsonb_build_object(
  ending.at, coalesce((counter.grants->>ending.at)::bigint, 0) + $2::bigint)
FROM (
  SELECT CASE WHEN $3::bigint IS NULL THEN '0'
    ELSE (mcp_gateway.usage_now() + $3::bigint)::text END AS at
) AS ending
WHERE counter.key = $1
RETURNING counter.key`;

/** `$1` key. */
export const resetCounter = `
UPDATE mcp_gateway.usage_counter AS counter
SET amounts = '{}', grants = '{}'
WHERE counter.key = $1
RETURNING counter.key`;

/** Forgets a thousand counters that mean nothing any more; a row in use is left alone. */
export const sweepCounters = `
DELETE FROM mcp_gateway.usage_counter
WHERE key IN (
  SELECT counter.key
  FROM mcp_gateway.usage_counter AS counter
  WHERE counter.keep_ms > 0
    AND counter.used_ms + counter.keep_ms < mcp_gateway.usage_now()
    AND mcp_gateway.usage_granted(counter.grants, mcp_gateway.usage_now()) = '{}'
  LIMIT 1000
  FOR UPDATE SKIP LOCKED
)`;

/** `$1` principal, `$2` the conversation that begins where none is under way, `$3` its silence. */
export const joinConversation = `
INSERT INTO mcp_gateway.usage_conversation AS kept (principal, conversation, silence_ms, joined_ms)
VALUES ($1, $2, $3::bigint, mcp_gateway.usage_now())
ON CONFLICT (principal) DO UPDATE SET
  conversation = CASE WHEN kept.joined_ms + kept.silence_ms < excluded.joined_ms
    THEN excluded.conversation ELSE kept.conversation END,
  silence_ms = excluded.silence_ms,
  joined_ms = greatest(kept.joined_ms, excluded.joined_ms)
RETURNING conversation`;

/** Forgets a thousand conversations that are over; a row in use is left alone. */
export const sweepConversations = `
DELETE FROM mcp_gateway.usage_conversation
WHERE principal IN (
  SELECT principal
  FROM mcp_gateway.usage_conversation
  WHERE joined_ms + silence_ms < mcp_gateway.usage_now()
  LIMIT 1000
  FOR UPDATE SKIP LOCKED
)`;
