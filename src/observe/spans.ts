import { setTimeout as delay } from 'node:timers/promises'
import {
  type Attributes,
  type Context,
  context,
  type ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { traceIdIn } from './trace-parent.ts'

/*
 * Traces, by the API of OpenTelemetry alone: whoever runs the server brings an SDK, or nobody listens, and then a span
 * costs the look whether somebody does. Names and attributes are words of this program and of its schema. Nothing that a
 * caller wrote is in them: no variable, no name of an operation, no path, no value of a statement, no message of an error.
 */

/** A span that has begun, and the context in which what it covers has to run. */
export interface Traced {
  readonly span: Span
  readonly context: Context
}

/**
 * Begins the span of what a caller asks. The caller's own span is its parent, if the caller has sent one.
 *
 * @param carrier what may have `traceparent`: the headers of a request, the extensions of an operation
 * @returns null: nobody listens
 */
export function beginRequest(name: string, carrier: unknown, attributes: Attributes): Traced | null {
  const tracer = findTracer()
  if (tracer === null) return null
  const parent = propagation.extract(ROOT_CONTEXT, carrier ?? {})
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  return { span, context: trace.setSpan(parent, span) }
}

/** Does what belongs to a request that was begun. */
export function within<T>(traced: Traced | null, work: () => T): T {
  return traced === null ? work() : context.with(traced.context, work)
}

/** Does what belongs to no request, though a request may have been the reason to begin it. */
export function outsideRequests<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, work)
}

/** Ends the span of a request. @param code `OK`, or that of the first error */
export function endRequest({ span }: Traced, code: string, attributes: Attributes): void {
  span.setAttributes({ ...attributes, 'colloquy.code': code })
  if (isFault(code)) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

/**
 * The trace of a request, as 32 hexadecimal digits: of its span, or, where nobody listens, the one that the caller names.
 * undefined: it belongs to none.
 */
export function traceIdOf(traced: Traced | null, traceparent: unknown): string | undefined {
  return traced === null ? traceIdIn(traceparent) : traced.span.spanContext().traceId
}

/** Whether what runs now belongs to a span that somebody wants to see. */
export function isRecorded(): boolean {
  return trace.getActiveSpan()?.isRecording() === true
}

/** Where what runs now belongs to; null: to nothing that somebody wants to see. */
export function presentContext(): Context | null {
  return isRecorded() ? context.active() : null
}

/** Does work in a span of its own, if it belongs to one that somebody wants to see. */
export function inSpan<T>(name: string, attributes: Attributes, work: () => T): T {
  return isRecorded() ? inSpanOf(context.active(), { name, attributes, kind: SpanKind.INTERNAL }, work) : work()
}

/** The same for a statement of PostgreSQL. */
export function inStatementSpan<T>(name: string, attributes: Attributes, work: () => T): T {
  return inSpanOf(context.active(), { name, attributes, kind: SpanKind.CLIENT }, work)
}

/** The same for work that may belong to nothing. Then it has a trace of its own, if somebody listens. */
export function inOwnSpan<T>(name: string, attributes: Attributes, work: () => T): T {
  if (findTracer() === null) return work()
  return inSpanOf(context.active(), { name, attributes, kind: SpanKind.INTERNAL }, work)
}

/**
 * The same for what is done for several at once. The span belongs to the first of them that somebody wants to see, and is
 * linked with the others.
 *
 * @param origins of `presentContext`
 */
export function inJoinedSpan<T>(name: string, origins: readonly (Context | null)[], work: () => T): T {
  const [first, ...others] = origins.filter((origin) => origin !== null)
  if (first === undefined) return work()
  const links = others.flatMap((origin) => trace.getSpanContext(origin) ?? []).map((linked) => ({ context: linked }))
  const attributes = { 'colloquy.batch.size': origins.length }
  return inSpanOf(first, { name, attributes, kind: SpanKind.INTERNAL, links }, work)
}

/** Has the SDK send what it keeps for later. The API does not know this, and every SDK has it. Never throws. */
export async function flushSpans(): Promise<void> {
  const provider = findProvider()
  const sdk = (provider.getDelegate?.() ?? provider) as Flushable
  const isOver = new AbortController()
  const flushed = sdk.forceFlush?.().catch(() => {})
  await Promise.race([flushed, delay(longestFlushMs, undefined, { signal: isOver.signal }).catch(() => {})])
  isOver.abort()
}

interface Flushable extends TracerProvider {
  forceFlush?(): Promise<void>
}

const longestFlushMs = 2_000

const scope = 'colloquy'

/** null: no SDK is there. It may come later, so this is asked each time. */
function findTracer(): Tracer | null {
  const provider = findProvider()
  // Without an SDK the API still gives tracers, which make spans that nobody sees.
  if (provider.getDelegateTracer !== undefined) return provider.getDelegateTracer(scope) ?? null
  return provider.getTracer(scope)
}

/** The SDK may have brought another copy of the API, whose classes are not ours. */
function findProvider(): TracerProvider & Partial<ProxyTracerProvider> {
  return trace.getTracerProvider()
}

interface SpanOptions {
  readonly name: string
  readonly attributes: Attributes
  readonly kind: SpanKind
  readonly links?: { context: ReturnType<Span['spanContext']> }[]
}

function inSpanOf<T>(parent: Context, { name, ...options }: SpanOptions, work: () => T): T {
  const span = findTracer()?.startSpan(name, options, parent)
  if (span === undefined) return work()
  const failed = (error: unknown) => {
    span.setStatus({ code: SpanStatusCode.ERROR })
    const { code } = (error ?? {}) as { code?: unknown }
    if (typeof code === 'string') span.setAttribute('error.type', code)
    span.end()
  }
  try {
    const result = context.with(trace.setSpan(parent, span), work)
    // What waits for the result waits for the same promise as without a span.
    if (result instanceof Promise) result.then(() => span.end(), failed)
    else span.end()
    return result
  } catch (error) {
    failed(error)
    throw error
  }
}

/** Whether an error is one of the server, and not of its caller. */
function isFault(code: string): boolean {
  return code === 'UNAVAILABLE' || code === 'INTERNAL_SERVER_ERROR'
}
