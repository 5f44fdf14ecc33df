// Operation table: every operation of the library that the door offers, in the order of the reference.

import type { HttpOperation } from "./operation.js";
import { arrayOperations, filterOperations } from "./operations/arrays.js";
import { claimOperations, queryOperations } from "./operations/queries.js";
import { diagnosticOperations, expiryOperations, fileOperations } from "./operations/upkeep.js";
import { atomicOperations, valueOperations } from "./operations/values.js";

export const httpOperations: readonly HttpOperation[] = [
  ...valueOperations,
  ...atomicOperations,
  ...queryOperations,
  ...claimOperations,
  ...arrayOperations,
  ...filterOperations,
  ...expiryOperations,
  ...diagnosticOperations,
  ...fileOperations,
];
