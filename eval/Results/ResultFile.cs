using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace LServe.Eval;

/// <summary>
/// Results as JSON, written anew after every row or trial, aside and then renamed. What they are results of is written down too;
/// a file of something else is not continued.
/// </summary>
internal sealed class ResultFile
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter() } };

    private readonly string _path;
    private readonly JsonObject _document;

    private ResultFile(string path, JsonObject document) => (_path, _document) = (path, document);

    /// <param name="subject">What the results are of: equal whenever the file may be continued.</param>
    /// <exception cref="ArgumentException">The file has results of something else.</exception>
    public static ResultFile Open(string path, EvalOptions options, string machine, JsonObject subject)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (!File.Exists(path))
            return new(path, new JsonObject
            {
                ["command"] = options.Command, ["commit"] = options.Commit, ["machine"] = machine,
                ["date"] = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture), ["subject"] = subject, ["results"] = new JsonObject(),
            });
        var document = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        if (!JsonNode.DeepEquals(document["subject"], subject))
            throw new ArgumentException($"{path} has results of {document["subject"]?.ToJsonString()}, not of {subject.ToJsonString()}; move it away, or choose another --out.");
        return new(path, document);
    }

    /// <summary>What is on record, to be read; null without a file.</summary>
    public static ResultFile? TryRead(string path) => File.Exists(path) ? new(path, JsonNode.Parse(File.ReadAllText(path))!.AsObject()) : null;

    private JsonObject Results => _document["results"]!.AsObject();

    public T? Find<T>(string key) => Results[key] is { } node ? node.Deserialize<T>(Format) : default;

    public void Set<T>(string key, T value)
    {
        Results[key] = JsonSerializer.SerializeToNode(value, Format);
        File.WriteAllText(_path + ".part", _document.ToJsonString(Format) + "\n");
        File.Move(_path + ".part", _path, overwrite: true);
    }

    /// <summary>All results of one kind, in the order they came.</summary>
    public IEnumerable<(string Key, T Value)> All<T>() => Results.Select(r => (r.Key, r.Value.Deserialize<T>(Format)!));
}
