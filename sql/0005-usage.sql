-- Counters and budgets that bundles declare. One row per counter: what was used, by the start of its
-- slot, and what was granted, by its end (0: none); amounts are whole millionths. All of it changes
-- through the functions below, one statement per round trip, so that reading, comparing and taking
-- are one step under the rows' locks and no lock outlives the statement. Time is the database's.

CREATE TABLE mcp_gateway.usage_counter (
  key          text PRIMARY KEY,
  slot_ms      bigint NOT NULL,
  life_ms      bigint NOT NULL,
  keep_ms      bigint NOT NULL,
  limit_amount bigint NOT NULL,
  amounts      jsonb NOT NULL DEFAULT '{}',
  grants       jsonb NOT NULL DEFAULT '{}',
  used_ms      bigint NOT NULL DEFAULT 0
);

-- Of the statement's end, not of its transaction's beginning: whoever waited for a lock must not
-- count in the past.
CREATE FUNCTION mcp_gateway.usage_now() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- The slots that still count.
CREATE FUNCTION mcp_gateway.usage_live(amounts jsonb, slot_ms bigint, life_ms bigint, now_ms bigint)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_object_agg(slot.key, slot.value), '{}')
  FROM jsonb_each(amounts) AS slot
  WHERE slot.value::bigint > 0 AND (slot_ms = 0 OR slot.key::bigint + life_ms > now_ms)
$$;

CREATE FUNCTION mcp_gateway.usage_sum(amounts jsonb)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sum(slot.value::bigint), 0)::bigint FROM jsonb_each(amounts) AS slot
$$;

-- When the oldest slot stops to count; null where nothing does.
CREATE FUNCTION mcp_gateway.usage_resets(live jsonb, slot_ms bigint, life_ms bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT min(slot.key::bigint) + life_ms FROM jsonb_object_keys(live) AS slot(key) WHERE slot_ms > 0
$$;

CREATE FUNCTION mcp_gateway.usage_granted(grants jsonb, now_ms bigint)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_object_agg(given.key, given.value), '{}')
  FROM jsonb_each(grants) AS given
  WHERE given.key = '0' OR given.key::bigint > now_ms
$$;

-- What several requests of one gateway take and give back: first the corrections, then the requests
-- in their order. A request gets all of its charges or none, but attempts always. Rows are locked in
-- the order of their keys, so that two gateways wait for each other in one direction only.
CREATE FUNCTION mcp_gateway.usage_turn(corrections jsonb, requests jsonb)
RETURNS TABLE (
  request    bigint,
  place      bigint,
  admitted   boolean,
  used       bigint,
  allowed    bigint,
  start_ms   bigint,
  resets_ms  bigint
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  wanted_keys text[];
  found_keys  integer;
  time_ms     bigint;
  one         record;
BEGIN
  SELECT array_agg(DISTINCT charge->>'key') INTO wanted_keys
  FROM jsonb_array_elements(requests) AS wanted, jsonb_array_elements(wanted) AS charge;
  LOOP
    INSERT INTO mcp_gateway.usage_counter (key, slot_ms, life_ms, keep_ms, limit_amount)
    SELECT DISTINCT ON (charge->>'key')
      charge->>'key', (charge->>'slot_ms')::bigint, (charge->>'life_ms')::bigint,
      (charge->>'keep_ms')::bigint, (charge->>'limit')::bigint
    FROM jsonb_array_elements(requests) AS wanted, jsonb_array_elements(wanted) AS charge
    ORDER BY charge->>'key'
    ON CONFLICT (key) DO NOTHING;

    PERFORM 1 FROM mcp_gateway.usage_counter AS counter
    WHERE counter.key = ANY (wanted_keys)
       OR counter.key IN (SELECT item->>'key' FROM jsonb_array_elements(corrections) AS item)
    ORDER BY counter.key
    FOR UPDATE;

    -- A row may have been swept between the two statements.
    SELECT count(*) INTO found_keys FROM mcp_gateway.usage_counter AS counter
    WHERE counter.key = ANY (wanted_keys);
    EXIT WHEN found_keys = coalesce(array_length(wanted_keys, 1), 0);
  END LOOP;
  time_ms := mcp_gateway.usage_now();

  FOR one IN SELECT item FROM jsonb_array_elements(corrections) AS item LOOP
    UPDATE mcp_gateway.usage_counter AS counter
    SET amounts = counter.amounts || jsonb_build_object(
      one.item->>'start_ms',
      greatest(0, coalesce((counter.amounts->>(one.item->>'start_ms'))::bigint, 0)
                  + (one.item->>'delta')::bigint))
    WHERE counter.key = one.item->>'key'
      AND (counter.slot_ms = 0 OR (one.item->>'start_ms')::bigint + counter.life_ms > time_ms);
  END LOOP;

  FOR one IN
    SELECT wanted, number FROM jsonb_array_elements(requests) WITH ORDINALITY AS list(wanted, number)
  LOOP
    RETURN QUERY
    WITH charge AS (
      SELECT
        list.number AS place,
        item->>'key' AS key,
        (item->>'amount')::bigint AS amount,
        (item->>'limit')::bigint AS limit_amount,
        (item->>'keep_ms')::bigint AS keep_ms,
        (item->>'attempt')::boolean AS is_attempt,
        CASE WHEN (item->>'slot_ms')::bigint = 0 THEN 0 ELSE
          (item->>'origin_ms')::bigint
          + floor((time_ms - (item->>'origin_ms')::bigint)::numeric / (item->>'slot_ms')::bigint)::bigint
            * (item->>'slot_ms')::bigint
        END AS slot_start
      FROM jsonb_array_elements(one.wanted) WITH ORDINALITY AS list(item, number)
    ), state AS (
      SELECT
        charge.*,
        counter.slot_ms,
        counter.life_ms,
        mcp_gateway.usage_live(counter.amounts, counter.slot_ms, counter.life_ms, time_ms) AS live,
        mcp_gateway.usage_granted(counter.grants, time_ms) AS granted
      FROM charge JOIN mcp_gateway.usage_counter AS counter ON counter.key = charge.key
    ), reading AS (
      SELECT
        state.*,
        mcp_gateway.usage_sum(state.live) AS used_before,
        state.limit_amount + mcp_gateway.usage_sum(state.granted) AS allowed_amount
      FROM state
    ), verdict AS (
      SELECT bool_and(used_before + amount <= allowed_amount) AS fits FROM reading
    ), taken AS (
      UPDATE mcp_gateway.usage_counter AS counter
      SET
        amounts = CASE WHEN verdict.fits OR reading.is_attempt
          THEN reading.live || jsonb_build_object(
            reading.slot_start::text,
            coalesce((reading.live->>(reading.slot_start::text))::bigint, 0) + reading.amount)
          ELSE reading.live END,
        grants = reading.granted,
        limit_amount = reading.limit_amount,
        keep_ms = reading.keep_ms,
        used_ms = time_ms
      FROM reading, verdict
      WHERE counter.key = reading.key
    )
    SELECT
      one.number, reading.place, verdict.fits, reading.used_before, reading.allowed_amount,
      reading.slot_start,
      CASE WHEN reading.slot_ms = 0 THEN NULL ELSE coalesce(
        mcp_gateway.usage_resets(reading.live, reading.slot_ms, reading.life_ms),
        reading.slot_start + reading.life_ms) END
    FROM reading, verdict;
  END LOOP;
END
$$;
