using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Reads a message's content: a text, or an array of <c>{"type":"text","text":…}</c>, whose texts are joined.</summary>
public sealed class MessageContentConverter : JsonConverter<string>
{
    /// <exception cref="LServeException">A part is no text, such as an image.</exception>
    public override string Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString()!;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException();

        var text = new StringBuilder();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            text.Append(ReadPart(ref reader));
        return text.ToString();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    private static string ReadPart(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString()!;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException();

        string? kind = null, text = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isKind = reader.ValueTextEquals("type"u8);
            var isText = reader.ValueTextEquals("text"u8);
            reader.Read();
            if ((isKind || isText) && reader.TokenType != JsonTokenType.String)
                throw new JsonException();
            if (isKind)
                kind = reader.GetString();
            else if (isText)
                text = reader.GetString();
            else
                reader.Skip();
        }
        if (kind is not (null or "text"))
            throw LServeException.Invalid($"Content of type '{kind}' is not supported: this server reads text alone.", "messages");
        return text ?? throw LServeException.Invalid("A content part has no 'text'.", "messages");
    }
}
