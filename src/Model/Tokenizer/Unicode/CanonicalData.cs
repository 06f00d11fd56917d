using System.Globalization;

namespace LServe.Model;

/// <summary>Canonical decompositions, compositions and combining classes, read from <c>canonical.txt</c> when first needed.</summary>
/// <remarks>The runtime has no normal forms where globalisation is invariant.</remarks>
internal sealed class CanonicalData
{
    private static readonly Lazy<CanonicalData> Lazy = new(() => new CanonicalData());

    private readonly Dictionary<int, (int First, int Second)> _decompositions = [];
    private readonly Dictionary<(int, int), int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];

    private CanonicalData()
    {
        using var stream = typeof(CanonicalData).Assembly.GetManifestResourceStream("canonical.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line[0] == '@') ReadClass(line);
            else if (line[0] != '#') ReadDecomposition(line);
    }

    public static CanonicalData Instance => Lazy.Value;

    /// <param name="second">0 if it decomposes to one character.</param>
    public bool TryDecompose(int character, out int first, out int second)
    {
        var found = _decompositions.TryGetValue(character, out var parts);
        (first, second) = parts;
        return found;
    }

    public bool TryCompose(int first, int second, out int composed) => _compositions.TryGetValue((first, second), out composed);

    /// <summary>0 for a character that doesn't combine.</summary>
    public byte ClassOf(int character) => _classes.GetValueOrDefault(character);

    private void ReadDecomposition(string line)
    {
        var parts = line.TrimStart('-').Split(' ').Select(Hex).ToArray();
        var second = parts.Length > 2 ? parts[2] : 0;
        _decompositions[parts[0]] = (parts[1], second);
        if (line[0] != '-') _compositions[(parts[1], second)] = parts[0];
    }

    private void ReadClass(string line)
    {
        var parts = line.Split(' ');
        var combiningClass = byte.Parse(parts[0].AsSpan(1), CultureInfo.InvariantCulture);
        foreach (var range in parts.Skip(1))
        {
            var ends = range.Split('-').Select(Hex).ToArray();
            for (var c = ends[0]; c <= ends[^1]; c++) _classes[c] = combiningClass;
        }
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
