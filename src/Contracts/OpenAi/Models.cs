namespace LServe.Contracts.OpenAi;

/// <summary>Answer of <c>GET /v1/models</c>.</summary>
public sealed record ModelList(string Object, IReadOnlyList<ModelCard> Data);

/// <summary>Answer of <c>GET /v1/models/{id}</c>.</summary>
/// <param name="Created">Unix seconds.</param>
/// <param name="ContextLength">Tokens: longest prompt and answer together.</param>
/// <param name="Chat">Whether chat completions are served; raw completions always are.</param>
public sealed record ModelCard(string Id, string Object, long Created, string OwnedBy, int ContextLength, bool Chat, string Backend);
