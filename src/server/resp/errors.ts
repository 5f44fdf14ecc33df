// Errors of data commands, word for word as Valkey has them where it has them.

import { CommandError } from "./command.js";

export function syntaxError(): CommandError {
  return new CommandError("ERR syntax error");
}

export function wrongType(): CommandError {
  return new CommandError("WRONGTYPE Operation against a key holding the wrong kind of value");
}

export function noInteger(): CommandError {
  return new CommandError("ERR value is not an integer or out of range");
}

export function noFloat(): CommandError {
  return new CommandError("ERR value is not a valid float");
}

export function overflow(): CommandError {
  return new CommandError("ERR increment or decrement would overflow");
}

export function infiniteSum(): CommandError {
  return new CommandError("ERR increment would produce NaN or Infinity");
}

export function noSuchKey(): CommandError {
  return new CommandError("ERR no such key");
}

export function tooLong(): CommandError {
  return new CommandError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

export function notPositive(): CommandError {
  return new CommandError("ERR value is out of range, must be positive");
}

/** Of commands whose arguments come in pairs, which their arity cannot say. */
export function wrongArity(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`);
}

export function wrongExpiry(name: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${name}' command`);
}
