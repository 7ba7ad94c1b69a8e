/**
 * A plugin of Vite: a module that is imported with `?whole` also exports everything at its top level, as `whole`. So a
 * test reads what the module keeps to itself, and no list of it can be forgotten.
 */
export function wholeModules() {
  return {
    name: 'whole-modules',
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      if (!/\?(.*&)?whole\b/.test(id)) return null
      const names = [...code.matchAll(/^(?:export )?const (\w+)/gm)].map(([, name]) => name)
      return `${code}\nexport const whole = { ${names.join(', ')} }\n`
    },
  }
}
