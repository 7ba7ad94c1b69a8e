import type { Tool } from '../../client/src/openai.ts'

/** What the assistant can do beside talking. All of it is made up, and the same every time. */
export const tools: Record<string, Tool> = {
  read_weather: {
    description: 'The weather of the last five days in a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'The name of the city.' } },
      required: ['city'],
    },
    execute: ({ city }: { city: string }) => ({
      city,
      days: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'].map((day, index) => {
        const seed = [...`${city}${day}`].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997, 7)
        return { day, celsius: 6 + (seed % 14), rain_mm: (seed * (index + 3)) % 9 }
      }),
    }),
  },
  find_order: {
    description: 'Says where an order is, and when it arrives.',
    parameters: {
      type: 'object',
      properties: { id: { type: 'integer', description: 'The number of the order.' } },
      required: ['id'],
    },
    execute: ({ id }: { id: number }) => {
      const order = orders.get(id)
      if (order === undefined) throw new Error(`There is no order ${id}.`)
      return { id, ...order }
    },
  },
  refund_order: {
    description: 'Pays back what an order cost. A person has to approve it.',
    parameters: {
      type: 'object',
      properties: { id: { type: 'integer', description: 'The number of the order.' } },
      required: ['id'],
    },
    needsApproval: true,
    execute: ({ id }: { id: number }) => {
      const price = prices.get(id)
      if (price === undefined) throw new Error(`There is no order ${id}.`)
      return { id, refunded: price }
    },
  },
}

/** @param ask lets the conversation wait for a person */
export function callPerson(ask: (reason: string) => Promise<unknown>): Tool {
  return {
    description: 'Calls a person into this conversation, when the user wants one or when you cannot help.',
    parameters: {
      type: 'object',
      properties: { reason: { type: 'string', description: 'Why, in a sentence for the person.' } },
      required: ['reason'],
    },
    execute: async ({ reason }: { reason: string }) => {
      await ask(reason.slice(0, 200))
      return { called: true }
    },
  }
}

const orders = new Map([
  [4, { item: 'a lamp', status: 'on its way', arrives: 'on Friday' }],
  [7, { item: 'two chairs', status: 'packed', arrives: 'next week' }],
])

const prices = new Map([
  [4, '39 €'],
  [7, '120 €'],
])
