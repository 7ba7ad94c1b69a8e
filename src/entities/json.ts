/** Any JSON value. Type-GraphQL names the type of a field by a class; the schema maps this class to the JSON scalar. */
export abstract class Json {}

/** A JSON object. The schema maps this class to the JSONObject scalar. */
export abstract class JsonObject {}

/** What `JSON.parse` makes of a JSON object. */
export type JsonRecord = Record<string, unknown>
