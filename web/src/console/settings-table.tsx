import { useQuery } from '@apollo/client/react'
import { useState } from 'react'
import { SettingsInForceDocument, type SettingsInForceQuery } from '../gql/graphql.ts'
import { Table } from './table.tsx'

type Setting = NonNullable<SettingsInForceQuery['operator']>['settings'][number]

/** All settings of the server, as it has them. */
export function SettingsTable() {
  const { data } = useQuery(SettingsInForceDocument, { fetchPolicy: 'no-cache' })
  const [sought, setSought] = useState('')
  const settings = data?.operator?.settings
  if (!settings) return null
  const found = settings.filter(({ name, meaning }) =>
    `${name} ${meaning}`.toLowerCase().includes(sought.toLowerCase()),
  )
  return (
    <>
      <label className="console-field">
        <span>Find a setting</span>
        <input type="search" value={sought} onChange={({ target }) => setSought(target.value)} />
      </label>
      <Table title="Settings in force" heads={['Variable', 'Value', 'From', 'Meaning']}>
        {found.map((setting) => (
          <tr key={setting.name}>
            <td>
              <code>{setting.name}</code>
            </td>
            <td>{sayValue(setting)}</td>
            <td>{setting.isGiven ? 'given' : setting.value === null ? '' : 'default'}</td>
            <td className="wide">{setting.meaning.replaceAll('`', '')}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

function sayValue({ value, isGiven, isSecret }: Setting) {
  if (value !== null) return <code>{value}</code>
  return <span className="quiet">{isSecret && isGiven ? 'set, and not shown' : 'not set'}</span>
}
