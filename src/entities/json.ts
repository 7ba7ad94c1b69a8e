/** Any JSON value, where a GraphQL field or argument needs a class to name it by; the schema maps it to its scalar. */
export abstract class Json {}

/** A JSON object, likewise. */
export abstract class JsonObject {}

/** What `JSON.parse` answers for an object. */
export type JsonRecord = Record<string, unknown>
