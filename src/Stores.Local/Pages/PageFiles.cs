using System.Globalization;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>The names of a session's page files: <c>pages/XX/ID-N.kv</c>, N growing with every compaction.</summary>
internal sealed class PageFiles(string root)
{
    private const string Extension = ".kv";

    public string FolderOf(SessionKey key) => Path.Combine(root, Hex(SessionId.Of(key))[..2]);

    public string PathOf(SessionKey key, int file) =>
        Path.Combine(FolderOf(key), Hex(SessionId.Of(key)) + "-" + file.ToString(CultureInfo.InvariantCulture) + Extension);

    /// <summary>The numbers of the files that are there, ascending.</summary>
    public List<int> Of(SessionKey key)
    {
        var folder = FolderOf(key);
        if (!Directory.Exists(folder)) return [];
        var prefix = Hex(SessionId.Of(key)) + "-";
        return
        [
            .. Directory.EnumerateFiles(folder, prefix + "*" + Extension)
                .Select(path => Path.GetFileNameWithoutExtension(path)[prefix.Length..])
                .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                .Select(name => int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture)).Order(),
        ];
    }

    private static string Hex(long session) => session.ToString("x16", CultureInfo.InvariantCulture);
}
