self.second = 'imported';
