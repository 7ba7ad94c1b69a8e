import { readFile } from 'node:fs/promises'

/** What the dashboard of deploy/grafana asks Prometheus, by where it stands. */
export async function readDashboard(): Promise<[place: string, expression: string][]> {
  const { panels } = JSON.parse(await readFile('deploy/grafana/colloquy.json', 'utf8')) as {
    panels: { title: string; targets?: { expr: string }[] }[]
  }
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }, index): [string, string] => [`panel ${title}, ${index}`, expr]),
  )
}
