import { useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { chooseTheme, readTheme, type Theme } from '../app/theme.ts'

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const icons = { system: 'screen', light: 'sun', dark: 'moon' } as const
const names = { system: 'as the system', light: 'light', dark: 'dark' }

export function ThemeSwitch() {
  const [theme, setTheme] = useState(readTheme)
  const choose = () => {
    chooseTheme(next[theme])
    setTheme(next[theme])
  }
  const label = `Colours: ${names[theme]}`
  return (
    <button type="button" className="tool" aria-label={label} title={label} onClick={choose}>
      <Icon name={icons[theme]} />
    </button>
  )
}
