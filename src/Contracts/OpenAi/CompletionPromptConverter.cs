using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Reads the forms of <c>prompt</c>: a text, an array of one text, or an array of token ids.</summary>
public sealed class CompletionPromptConverter : JsonConverter<CompletionPrompt>
{
    /// <exception cref="LServeException">Several prompts at once.</exception>
    public override CompletionPrompt Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return new(reader.GetString(), null);
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read())
            throw new JsonException();
        return reader.TokenType switch
        {
            JsonTokenType.String => ReadOneText(ref reader),
            JsonTokenType.StartArray => throw SeveralPrompts(),
            JsonTokenType.Number or JsonTokenType.EndArray => ReadTokens(ref reader),
            _ => throw new JsonException(),
        };
    }

    public override void Write(Utf8JsonWriter writer, CompletionPrompt value, JsonSerializerOptions options)
    {
        if (value.Tokens is null)
        {
            writer.WriteStringValue(value.Text);
            return;
        }
        writer.WriteStartArray();
        foreach (var token in value.Tokens)
            writer.WriteNumberValue(token);
        writer.WriteEndArray();
    }

    private static CompletionPrompt ReadOneText(ref Utf8JsonReader reader)
    {
        var text = reader.GetString();
        reader.Read();
        return reader.TokenType == JsonTokenType.EndArray ? new(text, null) : throw SeveralPrompts();
    }

    private static CompletionPrompt ReadTokens(ref Utf8JsonReader reader)
    {
        var tokens = new List<int>();
        for (; reader.TokenType != JsonTokenType.EndArray; reader.Read())
            tokens.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var token) ? token : throw new JsonException());
        return new(null, tokens);
    }

    private static LServeException SeveralPrompts() =>
        LServeException.Invalid("Several prompts in one request are not supported: send one request for each.", "prompt");
}
