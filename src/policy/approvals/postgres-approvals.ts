/**
 * Approvals in Postgres, for gateways of several machines and the people who decide elsewhere. The
 * database's clock is the one that counts, so that replicas need not agree about the time. A
 * connection is opened with the first use, and anew after one that failed.
 */
import type { Database, Queryable, Row } from "../../database/database.ts";
import type { Reopening } from "../../database/reopening.ts";
import { reopening } from "../../database/reopening.ts";
import type { Approval } from "./approval.ts";
import { answerAmong } from "./approval.ts";
import { parseApproval } from "./approval-document.ts";
import { ApprovalError } from "./approval-error.ts";
import type { ApprovalDraft, ApprovalStore, Changed, Opened } from "./approval-store.ts";
import { closedKeptMs, isClosed, withdrawnCountsMs } from "./approval-store.ts";

/** Two requests of one principal are opened one after the other. `$1` key of the principal. */
const lockPrincipal = "SELECT pg_advisory_xact_lock(hashtextextended('approval ' || $1, 0))";

const selectNow = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms";

/** `$1` tenant, `$2` binding; newest first. */
const selectSame = `
SELECT document FROM mcp_gateway.approval
WHERE tenant = $1 AND binding = $2 AND expires_at > clock_timestamp()
ORDER BY approval_id DESC`;

/** `$1` key of the principal, `$2` milliseconds for which what was taken back counts. */
const countAsked = `
SELECT count(*)::int AS asked FROM mcp_gateway.approval
WHERE principal = $1 AND (
  (status = 'pending' AND expires_at > clock_timestamp())
  OR (status = 'withdrawn'
    AND requested_at > clock_timestamp() - make_interval(secs => $2::float8 / 1000)))`;

/**
 * `$1` id, `$2` tenant, `$3` binding, `$4` principal, `$5` status, `$6` when it was asked, `$7` expiry,
 * `$8` document, `$9` arguments.
 */
const insertApproval = `
INSERT INTO mcp_gateway.approval
  (approval_id, tenant, binding, principal, status, requested_at, expires_at, document, arguments)
VALUES ($1::uuid, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz, $8, $9)`;

/** `$1` tenant, `$2` id. */
const selectForChange = `
SELECT document FROM mcp_gateway.approval
WHERE tenant = $1 AND approval_id = $2::uuid FOR UPDATE`;

/** `$1` tenant, `$2` id, `$3` status, `$4` document, `$5` whether its arguments are kept. */
const updateApproval = `
UPDATE mcp_gateway.approval
SET status = $3, document = $4, arguments = CASE WHEN $5::boolean THEN arguments END
WHERE tenant = $1 AND approval_id = $2::uuid`;

/** `$1` tenant, `$2` ids. */
const selectByIds = `
SELECT document FROM mcp_gateway.approval
WHERE tenant = $1 AND approval_id = ANY($2::uuid[])`;

/** `$1` tenant. All that may still be decided or used, and the newest of the others. */
const selectAll = `
SELECT document FROM mcp_gateway.approval
WHERE tenant = $1 AND (
  status IN ('pending', 'approved')
  OR approval_id IN (
    SELECT approval_id FROM mcp_gateway.approval
    WHERE tenant = $1 AND status NOT IN ('pending', 'approved')
    ORDER BY approval_id DESC LIMIT 1000))
ORDER BY approval_id DESC`;

/** `$1` tenant, `$2` id. */
const selectArguments = `
SELECT arguments FROM mcp_gateway.approval WHERE tenant = $1 AND approval_id = $2::uuid`;

/** `$1` milliseconds for which what is over is kept. */
const deleteForgettable = `
DELETE FROM mcp_gateway.approval
WHERE expires_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)`;

const idShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface PostgresApprovalsOptions {
  readonly tenant: string;
  /** Opens a migrated database. */
  readonly connect: () => Promise<Database>;
}

/** Opens the database's approvals; nothing is reached before the first use. */
export function openPostgresApprovals(options: PostgresApprovalsOptions): ApprovalStore {
  return new PostgresApprovals(options);
}

class PostgresApprovals implements ApprovalStore {
  readonly #tenant: string;
  readonly #connection: Reopening<Database>;

  constructor({ tenant, connect }: PostgresApprovalsOptions) {
    this.#tenant = tenant;
    this.#connection = reopening(connect);
  }

  async open(draft: ApprovalDraft): Promise<Opened> {
    return await this.#transaction(async (inside) => {
      await inside.query(lockPrincipal, [draft.principal]);
      await inside.query(deleteForgettable, [closedKeptMs]);
      const nowMs = await readNow(inside);
      const same = approvalsOf(await inside.query(selectSame, [this.#tenant, draft.binding]));
      const found = answerAmong(same, nowMs);
      if (found !== undefined) return { kind: "found", approval: found };
      const [counted] = await inside.query(countAsked, [draft.principal, withdrawnCountsMs]);
      if (Number(counted?.["asked"]) >= draft.maxPending) return { kind: "too_many" };
      const approval = await draft.make(nowMs);
      await inside.query(insertApproval, [...columnsOf(approval), draft.argumentsJson]);
      return { kind: "opened", approval };
    });
  }

  async change<Result>(
    id: string,
    change: (approval: Approval, nowMs: number) => Promise<Changed<Result>>,
  ): Promise<Result | undefined> {
    if (!idShape.test(id)) return undefined;
    return await this.#transaction(async (inside) => {
      const [before] = approvalsOf(await inside.query(selectForChange, [this.#tenant, id]));
      if (before === undefined) return undefined;
      const { approval, result } = await change(before, await readNow(inside));
      if (approval !== undefined) {
        const state = [approval.status, JSON.stringify(approval), !isClosed(approval)];
        await inside.query(updateApproval, [this.#tenant, id, ...state]);
      }
      return result;
    });
  }

  async read(ids: readonly string[]): Promise<readonly Approval[]> {
    const known = ids.filter((id) => idShape.test(id));
    return approvalsOf(await this.#query(selectByIds, [this.#tenant, known]));
  }

  async list(): Promise<readonly Approval[]> {
    return approvalsOf(await this.#query(selectAll, [this.#tenant]));
  }

  async argumentsOf(id: string): Promise<string | undefined> {
    if (!idShape.test(id)) return undefined;
    const [row] = await this.#query(selectArguments, [this.#tenant, id]);
    const text = row?.["arguments"];
    return typeof text === "string" ? text : undefined;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #transaction<Result>(work: (inside: Queryable) => Promise<Result>): Promise<Result> {
    const database = await this.#connection.open();
    return await database.transaction(work);
  }

  async #query(text: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const database = await this.#connection.open();
    return await database.query(text, parameters);
  }
}

function columnsOf(approval: Approval): readonly unknown[] {
  const { id, tenant, binding, principal, status } = approval;
  const { requested_at: requestedAt, expires_at: expiresAt } = approval;
  const document = JSON.stringify(approval);
  return [id, tenant, binding, principal, status, requestedAt, expiresAt, document];
}

async function readNow(inside: Queryable): Promise<number> {
  const [row] = await inside.query(selectNow);
  return Number(row?.["now_ms"]);
}

function approvalsOf(rows: readonly Row[]): readonly Approval[] {
  return rows.map((row) => {
    const approval = parseApproval(String(row["document"]));
    if (approval !== undefined) return approval;
    throw new ApprovalError(
      "approval_store_unusable",
      "expected an approval in mcp_gateway.approval, found a row of another version; upgrade this gateway",
    );
  });
}
