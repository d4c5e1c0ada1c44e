/** The few parts of node that the unit tests use. */
declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
  export function beforeEach(run: () => void): void;
  export function afterEach(run: () => void): void;
  export const mock: {
    method(
      object: object,
      name: string,
      implementation: () => unknown,
    ): {
      mock: { restore(): void };
    };
    timers: {
      enable(options: { apis: string[]; now?: number }): void;
      tick(milliseconds: number): void;
      setTime(milliseconds: number): void;
      reset(): void;
    };
  };
}

declare module "node:assert/strict" {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    match(actual: string, expected: RegExp, message?: string): void;
    doesNotMatch(actual: string, expected: RegExp, message?: string): void;
    throws(run: () => unknown, message?: string): void;
    rejects(run: Promise<unknown>, expected?: (error: unknown) => boolean): Promise<void>;
  }
  const assert: Assert;
  export default assert;
}

declare module "node:fs/promises" {
  export function readFile(path: string, encoding: "utf8"): Promise<string>;
}

/** The folder `frontends/`, put in by the test runner. */
declare const FRONTENDS: string;

declare function setImmediate(run: () => void): void;
