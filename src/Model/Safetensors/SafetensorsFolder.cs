namespace LServe.Model;

/// <summary>
/// The weights of a model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> lists.
/// </summary>
internal sealed class SafetensorsFolder : ITensorDirectory, IDisposable
{
    public const int MaxShards = 1024;

    private const string Single = "model.safetensors", Index = "model.safetensors.index.json";
    private const int MaxIndexBytes = 16 << 20;

    private readonly string _folder;
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _owners = [];

    private SafetensorsFolder(string folder) => _folder = folder;

    public IEnumerable<string> Names => _owners.Keys;

    /// <summary>Paths of the weight files, in a fixed order.</summary>
    public IEnumerable<string> Files => _files.Select(f => f.Path).Order(StringComparer.Ordinal);

    public static SafetensorsFolder Open(string folder)
    {
        var weights = new SafetensorsFolder(folder);
        try
        {
            using var index = JsonFile.ReadOptional(Path.Combine(folder, Index), MaxIndexBytes);
            if (index is null) weights.OpenSingle();
            else weights.OpenShards(index.Root.Required("weight_map"));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public Tensor? Find(string name) => _owners.TryGetValue(name, out var file) ? file.Find(name) : null;

    public ModelFileException Problem(string name, string problem) =>
        _owners.TryGetValue(name, out var file) ? file.Problem(name, problem) : new(_folder, $"tensor {name}", null, problem);

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private void OpenSingle()
    {
        var file = OpenFile(Path.Combine(_folder, Single));
        foreach (var name in file.Names) _owners[name] = file;
    }

    private void OpenShards(JsonField map)
    {
        var shards = new Dictionary<string, SafetensorsFile>();
        foreach (var (name, entry) in map.Properties())
        {
            var shard = entry.Text();
            if (!shards.TryGetValue(shard, out var file))
            {
                if (shards.Count == MaxShards) throw map.Problem($"names more than {MaxShards} files.");
                CheckName(entry, shard);
                shards[shard] = file = OpenFile(Path.Combine(_folder, shard));
            }
            if (file.Find(name) is null) throw entry.Problem($"says {shard}, which has no such tensor.");
            _owners[name] = file;
        }
        foreach (var file in _files)
            if (file.Names.FirstOrDefault(n => !_owners.ContainsKey(n)) is { } missing)
                throw file.Problem(missing, "is not in the index.");
    }

    private static void CheckName(JsonField entry, string shard)
    {
        var isPlain = shard.EndsWith(".safetensors") && Path.GetFileName(shard) == shard && !shard.Contains('\\') && !shard.Contains('\0');
        if (!isPlain) throw entry.Problem($"is {shard}, which is no plain file name.");
    }

    private SafetensorsFile OpenFile(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        return file;
    }
}
