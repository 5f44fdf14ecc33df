// What the type tests are written with. They are checked by the compiler and never run.

/** Whether two types are the same, `any`, optionality and readonly included. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless `Actual` is exactly `Expected`. */
export function exactly<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: Same<Actual, Expected> extends true ? [] : [{ actual: Actual; expected: Expected }]
  ): void => {};
}

/** Does not compile unless the type is `true`. */
export function holds<_Claim extends true>(): void {}

export type IsAny<T> = 0 extends 1 & T ? true : false;

type Builtin = string | number | boolean | bigint | symbol | null | undefined;
type Opaque = AbortSignal | Date | Uint8Array;

/** `true` if there is an `any` in the type, its members, parameters or results; else `never`. */
export type AnyWithin<T, Depth extends 0[] = []> =
  IsAny<T> extends true
    ? true
    : Depth["length"] extends 6
      ? never
      : T extends Builtin | Opaque
        ? never
        : T extends (...args: infer Args) => infer Result
          ? AnyWithin<Args[number], [...Depth, 0]> | AnyWithin<Result, [...Depth, 0]>
          : T extends Promise<infer Value>
            ? AnyWithin<Value, [...Depth, 0]>
            : T extends readonly (infer Element)[]
              ? AnyWithin<Element, [...Depth, 0]>
              : T extends object
                ? { [Name in keyof T]-?: AnyWithin<T[Name], [...Depth, 0]> }[keyof T]
                : never;

/** The names of members in which there is an `any`. */
export type MembersWithAny<T> = {
  [Name in keyof T]-?: [AnyWithin<T[Name]>] extends [never] ? never : Name;
}[keyof T];
