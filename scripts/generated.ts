import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { describeSettings } from '../src/config.ts'

/** The text of `schema.graphql`. */
export function renderSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}

/** The README with the table of settings from `config.ts`. */
export function withSettings(readme: string): string {
  const rows = describeSettings().map(
    ({ name, default: fallback, takes, meaning }) =>
      `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${takes} | ${meaning} |`,
  )
  const table = ['| variable | default | values | meaning |', '|---|---|---|---|', ...rows].join('\n')
  return readme.replace(
    /(<!-- settings.*-->\n)[\s\S]*?(<!-- \/settings -->)/,
    (_all, start, end) => `${start}${table}\n${end}`,
  )
}

/** The README with the present text of the example client. */
export function withExample(readme: string, example: string): string {
  return readme.replace(
    /(<!-- examples\/hello\.mjs -->\n```js\n)[\s\S]*?(```)/,
    (_all, start, end) => `${start}${example}${end}`,
  )
}
