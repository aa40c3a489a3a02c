/**
 * The part of the WebAssembly JavaScript interface that the gateway uses. `@types/node` does not
 * declare it and the DOM library would bring a browser along.
 */
declare namespace WebAssembly {
  interface Module {}
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface ModuleImport {
    readonly module: string;
    readonly name: string;
    readonly kind: "function" | "table" | "memory" | "global" | "tag";
  }

  const Module: {
    new (bytes: Uint8Array): Module;
    imports: (module: Module) => readonly ModuleImport[];
  };
  const Instance: { new (module: Module, imports: object): Instance };
  const Memory: { new (limits: { initial: number; maximum: number }): Memory };
  const compile: (bytes: Uint8Array) => Promise<Module>;
}
