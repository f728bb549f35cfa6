// The main job, done with openapi-fetch and the types that openapi-typescript generates from /openapi.json.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./purser.js";

const { PURSER_URL: baseUrl = "", PURSER_OPERATOR_KEY: key } = process.env;
const operator = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

type Problem = components["schemas"]["Problem"];

/** The answer, if the request succeeded. */
function must<T>({ data, error }: { data?: T; error?: Problem }): T {
  assert(data !== undefined, `refused: ${error?.detail}`);
  return data;
}

const once = (name: string) => ({ header: { "Idempotency-Key": name } });

const reseller = must(await operator.POST("/v1/resellers", {
  body: { company_name: "Elite Partners", email: "partner@elite.example", tier: "platinum" },
}));
const path = { refid: reseller.refid };
const entry = must(await operator.POST("/v1/resellers/{refid}/credits", {
  params: { path, ...once("top-up") }, body: { amount: 1000 },
}));
assert.deepEqual([entry.type, entry.balance_after], ["credit", 1000]);

const product = must(await operator.POST("/v1/products", {
  body: { reference: "PRO-1", name: "Pro, one year", price: 700, duration_days: 365 },
}));
const made = must(await operator.POST("/v1/provisions", {
  params: once("order"),
  body: {
    reseller: reseller.refid, product: product.reference,
    client: { name: "Acme Corporation", email: "billing@acme.example" },
  },
}));
assert.deepEqual([made.cost, made.balance, made.licences.length], [490, 510, 1]);
assert.equal(made.client?.status, "pending");

const wallet = must(await operator.GET("/v1/resellers/{refid}/wallet", { params: { path } }));
const entries = must(await operator.GET("/v1/resellers/{refid}/entries", { params: { path, query: { limit: 10 } } }));
assert.deepEqual([wallet.balance, wallet.sequence, entries.data.length, entries.next_cursor], [510, 2, 2, null]);

const { error: refused, response } = await operator.POST("/v1/provisions", {
  params: once("dear"), body: { reseller: reseller.refid, cost: 511, description: "More than there is" },
});
assert.deepEqual([response.status, refused?.code, refused?.balance], [402, "insufficient_credits", 510]);

// Requests that the API would refuse as malformed do not compile.
export const wrong = () => [
  // @ts-expect-error: there is no such tier
  operator.POST("/v1/resellers", { body: { company_name: "a", email: "a@b.example", tier: "silver" } }),
  // @ts-expect-error: a command that moves credits has an Idempotency-Key
  operator.POST("/v1/resellers/{refid}/credits", { params: { path }, body: { amount: 1 } }),
  // @ts-expect-error: there is no such path
  operator.GET("/v1/wallets"),
];
console.log(`${reseller.company_name} has ${wallet.balance} credits left`);
