// Certificates for tests: an authority, a server and a client, made anew in a scratch directory.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./servers.js";

export interface Certificates {
  readonly ca: string;
  /** Of a client. */
  readonly cert: string;
  readonly key: string;
  /** For the command line of a server; its certificate is for 127.0.0.1 and db.example. */
  readonly serverArgs: readonly string[];
  remove(): void;
}

export function lackOfOpenssl(): string | undefined {
  return findProgram("openssl") === undefined ? "openssl must be on the PATH" : undefined;
}

export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), "anykv-certificates-"));
  const file = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { stdio: "ignore" });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const days = ["-days", "2"];
  openssl(
    ...["req", "-x509", ...newKey, ...days, "-subj", "/CN=anykv test authority"],
    ...["-keyout", file("ca.key"), "-out", file("ca.crt")],
  );
  for (const name of ["server", "client"]) {
    openssl(
      ...["req", "-x509", ...newKey, ...days, "-subj", `/CN=anykv test ${name}`],
      ...["-CA", file("ca.crt"), "-CAkey", file("ca.key")],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:db.example"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`)],
    );
  }
  const read = (name: string): string => readFileSync(file(name), "utf8");
  return {
    ca: read("ca.crt"),
    cert: read("client.crt"),
    key: read("client.key"),
    serverArgs: [
      ...["--tls-cert-file", file("server.crt"), "--tls-key-file", file("server.key")],
      ...["--tls-ca-cert-file", file("ca.crt")],
    ],
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
