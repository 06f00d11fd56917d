using System.Security.Cryptography;
using System.Text;

namespace LServe.Cuda.Jit;

/// <summary>The text of kernels and headers: what was built into the program, or a folder being worked on.</summary>
public sealed class KernelSources
{
    private const string Prefix = "kernels/", IncludePrefix = "include/";

    private readonly SortedDictionary<string, string> _files;

    private KernelSources(SortedDictionary<string, string> files)
    {
        _files = files;
        Headers = files.Where(f => f.Key.StartsWith(IncludePrefix, StringComparison.Ordinal)).Select(f => (f.Key[IncludePrefix.Length..], f.Value)).ToArray();
        HeaderHash = Hash(Headers.Select(h => $"{h.Name}\0{h.Text}\0"));
    }

    /// <summary>The sources this program was built with.</summary>
    public static KernelSources Embedded { get; } = ReadResources();

    /// <summary>Name as in <c>#include</c>, and text.</summary>
    public IReadOnlyList<(string Name, string Text)> Headers { get; }

    /// <summary>Changes with any header.</summary>
    public string HeaderHash { get; }

    /// <summary>Every kernel file, sorted.</summary>
    public IEnumerable<string> Kernels => _files.Keys.Where(name => name.EndsWith(".cu", StringComparison.Ordinal));

    /// <exception cref="FileNotFoundException">No such kernel.</exception>
    public string this[string file] =>
        _files.TryGetValue(file, out var text) ? text : throw new FileNotFoundException($"There is no kernel source {file}.", file);

    /// <param name="folder">A copy of <c>kernels/</c>.</param>
    public static KernelSources FromFolder(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            if (Path.GetExtension(path) is ".cu" or ".cuh" or ".h")
                files.Add(Path.GetRelativePath(folder, path).Replace('\\', '/'), File.ReadAllText(path));
        return new(files);
    }

    internal static string Hash(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts) hash.AppendData(Encoding.UTF8.GetBytes(part));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static KernelSources ReadResources()
    {
        var assembly = typeof(KernelSources).Assembly;
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            files.Add(name[Prefix.Length..], reader.ReadToEnd());
        }
        return new(files);
    }
}
