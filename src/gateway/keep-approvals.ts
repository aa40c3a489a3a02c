/**
 * The approvals of one gateway, loaded with the first call that is held: most gateways never hold one,
 * and every start would pay for it.
 */
import type { Approvals } from "../policy/approvals/approvals.ts";
import type { OpenApprovalsOptions } from "../policy/approvals/open-approvals.ts";

export interface KeptApprovals {
  readonly open: () => Promise<Approvals>;
  readonly close: () => Promise<void>;
}

/** Opens them once, when they are asked for. */
export function keepApprovals(options: OpenApprovalsOptions): KeptApprovals {
  let opening: Promise<Approvals> | undefined;
  const load = async (): Promise<Approvals> => {
    const { openApprovals } = await import("../policy/approvals/open-approvals.ts");
    return openApprovals(options);
  };
  return {
    open: async () => await (opening ??= load()),
    close: async () => {
      const approvals = await opening?.catch(() => undefined);
      await approvals?.close();
    },
  };
}
