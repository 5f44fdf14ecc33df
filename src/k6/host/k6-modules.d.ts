// What is used of k6's own modules and globals.

declare module "k6/metrics" {
  class Metric {
    /** Only in the init context. */
    constructor(name: string, isTime?: boolean);
    add(value: number, tags?: Readonly<Record<string, string>>): void;
  }
  export class Counter extends Metric {}
  export class Gauge extends Metric {}
  export class Rate extends Metric {}
  export class Trend extends Metric {}
}

declare module "k6/http" {
  export interface Response {
    /** 0 when there was no answer; `error` says why. */
    readonly status: number;
    readonly error: string;
    readonly body: string | null;
  }
  export interface Params {
    readonly headers?: Readonly<Record<string, string>>;
    readonly tags?: Readonly<Record<string, string>>;
    /** Milliseconds. */
    readonly timeout?: number;
    readonly redirects?: number;
    readonly responseType?: "text";
    /** null: the request is neither expected nor failed. */
    readonly responseCallback?: null;
  }
  const http: {
    asyncRequest(method: string, url: string, body: string, params: Params): Promise<Response>;
  };
  export default http;
}

declare module "k6/execution" {
  const execution: {
    /** Milliseconds with fractions. Throws in the init context. */
    readonly instance: { readonly currentTestRunDuration: number };
  };
  export default execution;
}

declare module "k6/crypto" {
  const crypto: {
    sha1(input: string | ArrayBuffer, encoding: "hex"): string;
  };
  export default crypto;
}

declare module "k6/encoding" {
  const encoding: {
    b64encode(input: string | ArrayBuffer): string;
    b64decode(input: string, encoding: "std"): ArrayBuffer;
  };
  export default encoding;
}

/** Variables of the environment, and those of `k6 run -e`. */
declare const __ENV: Readonly<Record<string, string | undefined>>;
/** 0 while the test is set up and torn down. */
declare const __VU: number;
