/** Tools that daisi-nano was trained with, as OpenAI's clients describe them. */
export const weatherTool = functionTool('get_weather', 'Get the current weather for a city', {
  city: { type: 'string', description: 'City name' },
})
export const timeTool = functionTool('get_time', 'Get the current time in a timezone', {
  timezone: { type: 'string', description: 'IANA timezone' },
})
export const calculatorTool = functionTool('calculator', 'Evaluate a math expression', {
  expression: { type: 'string', description: 'The expression' },
})
export const tools = [weatherTool, timeTool, calculatorTool] as const

/** What the weather is said to be, and what daisi-nano makes of it. */
export const weather = { temperature: 21, condition: 'sunny' }
export const weatherQuestion = 'What is the weather in Paris?'
export const weatherAnswer = 'The weather in Paris is sunny with 21 degrees.'

function functionTool<Name extends string>(
  name: Name,
  description: string,
  properties: Record<string, { type: 'string'; description: string }>,
) {
  const parameters = { type: 'object', properties, required: Object.keys(properties) } as const
  return { type: 'function', function: { name, description, parameters } } as const
}
