import type { Tool } from '../../client/src/openai.ts'

/** The tools that the model may call. */
export const tools: Record<string, Tool> = {
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
}

const orders = new Map([
  [4, { item: 'a lamp', status: 'on its way', arrives: 'on Friday' }],
  [7, { item: 'two chairs', status: 'packed', arrives: 'next week' }],
])
