namespace LServe.Cuda.Jit;

/// <summary>
/// Compiled kernels in a folder, one file per key. Several processes may share it: a file is written aside and renamed, so that a reader
/// sees all of it or nothing. A cache that can't be read or written is only slow.
/// </summary>
public sealed class KernelCache(string folder)
{
    /// <summary>Files kept; past it the ones longest unused go.</summary>
    public const int MaxFiles = 512;

    /// <returns>Null when it isn't there.</returns>
    public byte[]? TryRead(string key)
    {
        var path = PathOf(key);
        try
        {
            var image = File.ReadAllBytes(path);
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return image.Length > 0 ? image : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Write(string key, ReadOnlySpan<byte> image)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var aside = Path.Combine(folder, $"{key}.{Guid.NewGuid():N}.part");
            File.WriteAllBytes(aside, image);
            File.Move(aside, PathOf(key), overwrite: true);
            Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The kernel is compiled; keeping it is a convenience.
        }
    }

    private void Trim()
    {
        var files = new DirectoryInfo(folder).GetFiles("*.cubin");
        if (files.Length <= MaxFiles) return;
        foreach (var file in files.OrderBy(f => f.LastWriteTimeUtc).Take(files.Length - MaxFiles)) file.Delete();
    }

    private string PathOf(string key) => Path.Combine(folder, key + ".cubin");
}
