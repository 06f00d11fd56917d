using System.Text.Json;

namespace LServe.Model;

/// <summary>A JSON file of a model folder, with a limit on its size.</summary>
internal sealed class JsonFile : IDisposable
{
    private readonly JsonDocument _document;

    private JsonFile(string path, JsonDocument document) => (_document, Root) = (document, new JsonField(path, "", document.RootElement));

    public JsonField Root { get; }

    /// <returns>Null if there is no such file.</returns>
    /// <exception cref="ModelFileException">The file is too large or no JSON object.</exception>
    public static JsonFile? ReadOptional(string path, int maxBytes) => File.Exists(path) ? Read(path, maxBytes) : null;

    /// <exception cref="ModelFileException">The file is missing, too large or no JSON object.</exception>
    public static JsonFile Read(string path, int maxBytes)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > maxBytes)
                throw new ModelFileException(path, "file", null, $"has {stream.Length} bytes; at most {maxBytes} are read.");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return Parse(path, bytes, 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFileException(path, "file", null, "does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, "file", null, $"can't be read: {e.Message}", e);
        }
    }

    /// <param name="offset">Of the JSON text in its file, for messages.</param>
    public static JsonFile Parse(string path, byte[] utf8, long offset)
    {
        try
        {
            var document = JsonDocument.Parse(utf8);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new JsonFile(path, document);
            document.Dispose();
            throw new ModelFileException(path, "JSON", offset, "is no object.");
        }
        catch (JsonException e)
        {
            throw new ModelFileException(path, "JSON", offset, $"is malformed: {e.Message}", e);
        }
    }

    public void Dispose() => _document.Dispose();
}
