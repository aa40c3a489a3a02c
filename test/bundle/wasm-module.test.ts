import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectWasm } from "../../src/bundle/wasm-module.ts";
import { messageOf } from "../../src/errors.ts";
import { thrownCode } from "../support/bundle-setting.ts";
import { tinyWasm } from "../support/tiny-bundle.ts";

const inspect = (wasm: Buffer) => inspectWasm(wasm, "policy.wasm");

function messageFor(wasm: Buffer): string {
  try {
    inspect(wasm);
    return "";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

describe("a compiled policy", () => {
  test("says which ABI it was built for and what it imports and exports", () => {
    expect(inspect(tinyWasm())).toMatchObject({
      abiVersion: "1.3",
      imports: ["env.opa_abort", "env.memory"],
    });
    expect(inspect(tinyWasm()).exports).toContain("opa_eval");
  });

  test("may import all of OPA's callbacks", () => {
    const names = ["opa_abort", "opa_println", "opa_builtin0", "opa_builtin4"];
    const imports = names.map((name) => ["env", name] as const);
    expect(thrownCode(() => inspect(tinyWasm({ imports })))).toBeUndefined();
  });

  test.each([
    ["a system interface", "wasi_snapshot_preview1", "fd_write"],
    ["another callback", "env", "opa_builtin5"],
    ["something of the host", "env", "fetch"],
    ["a name that looks right", "other", "opa_abort"],
  ])("that imports %s is refused by name", (_, module, name) => {
    const wasm = tinyWasm({ imports: [[module, name]] });
    expect(thrownCode(() => inspect(wasm))).toBe("bundle_wasm_invalid");
    expect(messageFor(wasm)).toContain(`${module}.${name}`);
  });

  test.each([
    [[1, 2], undefined],
    [[1, 10], undefined],
    [[1, 70], undefined],
    [[1, 1], "bundle_wasm_invalid"],
    [[2, 0], "bundle_wasm_invalid"],
    [[0, 3], "bundle_wasm_invalid"],
    [[-1, 3], "bundle_wasm_invalid"],
  ] as const)("of ABI %j: %s", (abi, outcome) => {
    expect(thrownCode(() => inspect(tinyWasm({ abi })))).toBe(outcome);
  });

  test("that lacks an export of OPA's is refused by its name", () => {
    expect(messageFor(tinyWasm({ exports: ["opa_malloc"] }))).toContain("opa_eval");
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["text", Buffer.from("package a")],
    ["a module of version 2", Buffer.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0])],
    ["a module without sections", tinyWasm().subarray(0, 8)],
    ["cut off", tinyWasm().subarray(0, -20)],
  ])("that is %s is refused", (_, wasm) => {
    expect(thrownCode(() => inspect(wasm))).toBe("bundle_wasm_invalid");
  });

  test("that is larger than sixteen megabytes is refused", () => {
    const wasm = Buffer.concat([tinyWasm(), Buffer.alloc(16 * 1024 * 1024)]);
    expect(thrownCode(() => inspect(wasm))).toBe("bundle_too_large");
  });

  test("with any byte changed is taken or refused, and nothing else happens", () => {
    const wasm = tinyWasm();
    fc.assert(
      fc.property(fc.nat(wasm.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(wasm);
        changed[at] = value;
        expect([undefined, "bundle_wasm_invalid"]).toContain(thrownCode(() => inspect(changed)));
      }),
      { numRuns: 2000 },
    );
  });
});
