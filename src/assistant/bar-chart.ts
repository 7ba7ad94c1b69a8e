const width = 480
const height = 200
const ground = 168
const tallest = 130

/** A data URL of an SVG that is readable on light and on dark ground. @param bars with their names, from left to right */
export function drawBars(bars: readonly (readonly [name: string, value: number])[]): string {
  const most = Math.max(...bars.map(([, value]) => value))
  const step = width / bars.length
  const drawn = bars.map(([name, value], index) => {
    const size = Math.round((value / most) * tallest)
    const middle = Math.round((index + 0.5) * step)
    const bar = `<rect x="${middle - 26}" y="${ground - size}" width="52" height="${size}" rx="4" fill="#14a394"/>`
    return `${bar}<text x="${middle}" y="${ground - size - 8}">${value}</text><text x="${middle}" y="${ground + 20}">${name}</text>`
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><g font-family="system-ui,sans-serif" font-size="14" fill="#7b8683" text-anchor="middle">${drawn.join('')}</g></svg>`
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}
