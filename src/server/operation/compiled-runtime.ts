import { createRequire } from 'node:module'

// graphql-jit has an ES module and a CommonJS module. Compiled functions always use the CommonJS one.
const { jitRuntime } = createRequire(import.meta.url)(
  'graphql-jit/dist/runtime',
) as typeof import('graphql-jit/dist/runtime')

/**
 * Reading what a resolver answered may throw, as when a getter of the answer throws. graphql-jit reads the answer where
 * nothing catches that, and the operation would wait for ever. This changes graphql-jit, for the whole process and with
 * the same effect however often it is called: what is thrown becomes an error of the resolver's field.
 */
export function catchInCompiled(): void {
  const { handleResolverResult } = jitRuntime
  jitRuntime.handleResolverResult = function (context, value, onSuccess, onError) {
    const takeUp = (result: unknown) => {
      try {
        onSuccess(result)
      } catch (error) {
        onError(error)
      }
    }
    handleResolverResult.call(this, context, value, takeUp, onError)
  }
}
