using System.Globalization;
using System.Text;

namespace LServe.Model;

/// <summary>DuoAttention's <c>full_attention_heads.tsv</c>: a line per layer, a column per KV head, columns separated by tabs.</summary>
internal static class GateTable
{
    public const int MaxBytes = 4 << 20;

    /// <exception cref="ModelFileException">The file is missing, too large, ragged, or has something that is no finite number.</exception>
    public static float[][] Read(string path)
    {
        var lines = ReadText(path).TrimEnd('\r', '\n').Split('\n');
        if (lines is [""]) throw new ModelFileException(path, "file", null, "is empty.");
        float[][] gates = [.. lines.Select((line, i) => Row(path, i + 1, line.TrimEnd('\r')))];
        for (var layer = 1; layer < gates.Length; layer++)
            if (gates[layer].Length != gates[0].Length)
                throw new ModelFileException(path, $"line {layer + 1}", null, $"has {gates[layer].Length} heads; the first line has {gates[0].Length}.");
        return gates;
    }

    public static void Write(string path, IEnumerable<float[]> gates)
    {
        var text = new StringBuilder();
        foreach (var row in gates) text.AppendJoin('\t', row.Select(g => g.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
        File.WriteAllText(path, text.ToString());
    }

    private static float[] Row(string path, int number, string line)
    {
        var columns = line.Split('\t');
        var row = new float[columns.Length];
        for (var head = 0; head < row.Length; head++)
            if (!float.TryParse(columns[head], NumberStyles.Float, CultureInfo.InvariantCulture, out row[head]) || !float.IsFinite(row[head]))
                throw new ModelFileException(path, $"line {number}, column {head + 1}", null, $"is '{columns[head]}', which is no number.");
        return row;
    }

    private static string ReadText(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > MaxBytes)
                throw new ModelFileException(path, "file", null, $"has {stream.Length} bytes; at most {MaxBytes} are read.");
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd();
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
}
